import { isFetchedByTikTok, mediaInUse } from '../core/media-route.ts';
import { PublishError, toPublishError } from '../core/publish-error.ts';
import { type PublishRequest, parsePublishRequest } from '../core/publish-request.ts';
import { digestRequest } from '../core/request-digest.ts';
import { withoutSecretUrls } from '../core/request-secrets.ts';
import { newRecord } from '../ledger/new-record.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import { claimFetchedMedia } from './check-duplicate.ts';
import type { WorkerDeps } from './deps.ts';
import { endJob, hasEnded, settlementOf, toFailure, toResult } from './end-job.ts';
import { inLane } from './in-lane.ts';
import { initFetch, mayHavePublishedByInit } from './init-publish.ts';
import { OwnedJob } from './owned-job.ts';
import { wakeIfToldMeanwhile } from './plan-poll.ts';
import { prepareVideo } from './prepare-video.ts';
import { runOwned } from './run-owned.ts';
import { settleError } from './settle-error.ts';
import type { Settlement } from './settlement.ts';
import { inSpan } from './step-span.ts';
import { type StopSignals, uploadVideo } from './upload-video.ts';

/** An entry of `tiktok-publish` as its processor sees it; the data comes from anybody. */
export interface PublishQueueEntry {
  /** The publish job's id. */
  readonly id: string;
  readonly data: unknown;
  /** Stores other data with the entry. */
  readonly replaceData: (data: unknown) => Promise<void>;
  /** Names this very entry, see `Run`. */
  readonly run: { readonly entry: string; readonly start: number };
}

/** Runs one entry of `tiktok-publish` as far as it gets: until TikTok has everything, or a reason to stop. */
export async function processPublishEntry(
  entry: PublishQueueEntry,
  deps: WorkerDeps,
  stop: StopSignals,
): Promise<Settlement> {
  let claim = await deps.ledger.claim(entry.id, entry.run);
  if (claim.kind === 'missing') {
    const refusal = await adopt(entry, deps);
    if (refusal !== undefined) return refusal;
    claim = await deps.ledger.claim(entry.id, entry.run);
  }
  if (claim.kind !== 'claimed') return { kind: 'lost' };
  const job = new OwnedJob(claim.record, deps.ledger);
  return await inLane(
    job,
    deps,
    async () =>
      await runOwned(
        stop,
        async () => await publish(job, entry, deps, stop),
        async (error) => await settleError(job, error, deps),
      ),
  );
}

/** Makes the record of an entry that came without one, from any BullMQ client. @returns the refusal of a malformed one */
async function adopt(
  entry: PublishQueueEntry,
  { ledger, accountNames, clock, log, requestSecrets }: WorkerDeps,
): Promise<Settlement | undefined> {
  let request: PublishRequest;
  try {
    request = parsePublishRequest(entry.data);
  } catch (thrown) {
    const { code, message } = toFailure(toPublishError(thrown));
    // A payload of the future may be tried again by a newer worker, with all that it holds.
    if (code === 'INPUT_INVALID') await entry.replaceData(withoutSecretUrls(entry.data));
    log.warn({ publishJobId: entry.id, code }, 'publish request refused');
    return { kind: 'failed', failure: { code, message } };
  }
  const account = await accountNames.resolve(request.account);
  const stored = requestSecrets.seal(request, entry.id);
  // Whoever enqueued without the library left secrets in the clear: they stay no longer than until here. First of all,
  // since a worker that dies after it finds the sealed ones.
  if (stored !== request) await entry.replaceData(stored);
  const record = newRecord({ id: entry.id, request, stored, account, now: clock.now() });
  await ledger.create(record, { event: 'queued', by: 'queue' });
  return undefined;
}

async function publish(
  job: OwnedJob,
  entry: PublishQueueEntry,
  deps: WorkerDeps,
  stop: StopSignals,
): Promise<Settlement> {
  const { record } = job;
  if (hasEnded(record)) return endedSettlement(record, entry.data);
  if (record.state !== 'processing') {
    const { scheduledAt } = record;
    if (scheduledAt !== undefined && scheduledAt > deps.clock.now()) return { kind: 'later', at: scheduledAt };
    if (isCancelledBetweenInits(record)) return await endJob(job, { to: 'cancelled' }, deps);
    if (record.state === 'scheduled') await job.commit({ to: 'queued', cause: { event: 'due' } });
    await handOver(job, deps, stop);
  }
  await addStatusEntry(job.record, deps);
  return { kind: 'done', result: toResult(job.record) };
}

/** Whether somebody asked to cancel while TikTok had a pull of which, as it turned out, nothing comes. */
function isCancelledBetweenInits({ cancelRequestedAt, initIntendedAt, publishId }: LedgerRecord): boolean {
  return cancelRequestedAt !== undefined && initIntendedAt === undefined && publishId === undefined;
}

/** Gets everything to TikTok; leaves the job `processing`. */
async function handOver(job: OwnedJob, deps: WorkerDeps, stop: StopSignals): Promise<void> {
  const { record } = job;
  // Before anything that can fail, such as a key that is gone: no such failure says that nothing was published.
  if (mayHavePublishedByInit(record)) throw new PublishError('TIKTOK_LOST_INIT');
  const media = mediaInUse({ ...record, request: deps.requestSecrets.open(record.request, record.id) });
  if (isFetchedByTikTok(media)) {
    await claimFetchedMedia(job, media, deps);
    await inSpan('begin pull', record, deps, () => initFetch(job, media, deps));
    return;
  }
  const source = await deps.openMedia(media);
  try {
    await prepareVideo(job, source, deps, stop.signal);
    await uploadVideo(job, source, deps, stop);
  } finally {
    await source.close();
  }
}

async function addStatusEntry(record: LedgerRecord, deps: WorkerDeps): Promise<void> {
  const { id, account, initCount, nextPollAt = 0 } = record;
  const entry = { version: 1, id, account } as const;
  const delayMs = Math.max(0, nextPollAt - deps.clock.now());
  // Only a job that began more than once can have a finished entry in the way.
  if (initCount > 1) await deps.queues.addStatusEntryAnew(entry, delayMs);
  else await deps.queues.addStatusEntry(entry, delayMs);
  await wakeIfToldMeanwhile(record, deps);
}

/** An entry of a job that has ended: its outcome, unless the entry brings another request under the same id. */
function endedSettlement(record: LedgerRecord, data: unknown): Settlement {
  const request = parsePublishRequest(data);
  const isSame =
    request.sealed === undefined
      ? digestRequest(request) === record.requestDigest
      : request.sealed === record.request.sealed;
  if (isSame) return settlementOf(record);
  const { code, message } = new PublishError('IDEMPOTENCY_CONFLICT', {
    reason: `the id ${record.id} belongs to another request that has ended`,
  });
  return { kind: 'failed', failure: { code, message } };
}
