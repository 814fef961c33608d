import {
  isDataLost,
  isReference,
  leftOutBytesOf,
  MAX_ENTRY_BYTES,
  publishEntryOf,
  referenceTo,
} from '../../core/job-reference.ts';
import { PublishError, toPublishError } from '../../core/publish-error.ts';
import { type PublishRequest, parsePublishRequest } from '../../core/publish-request.ts';
import { digestRequest } from '../../core/request-digest.ts';
import { withoutSecretUrls } from '../../core/request-secrets.ts';
import { refusalOfTime } from '../../core/scheduled-time.ts';
import { failed, type Settlement } from '../../core/settlement.ts';
import { type Created, newRecord } from '../../ledger/change.ts';
import type { Run } from '../../ledger/claim.ts';
import { isPlainJobId, MAX_JOB_ID_LENGTH, PLAIN_JOB_ID } from '../../ledger/queues/job-ids.ts';
import type { LedgerRecord } from '../../ledger/record.ts';
import { AWAITING_TURN_MS } from '../../limits/lanes.ts';
import type { Needs } from '../deps.ts';
import { claimJob, OwnedJob, recordIsGone } from '../owned-job.ts';

/** An entry of `tiktok-publish` as its processor sees it; any client may have written the data. */
export interface PublishQueueEntry {
  /** The publish job's id. */
  readonly id: string;
  /** Whether BullMQ numbered the entry, so that the job's id is another one than the entry's. */
  readonly isNumbered: boolean;
  readonly data: unknown;
  /** When its client added it (ms since the epoch). */
  readonly addedAt: number;
  /** Stores other data with the entry. */
  readonly replaceData: (data: unknown) => Promise<void>;
  /** Names this very entry, see `Run`. */
  readonly run: Run;
}

/** How often an entry is started again whose workers died or hung, while its record did not change. */
export const MAX_FRUITLESS_STARTS = 5;

type AdoptDeps = Needs<'clock' | 'ledger' | 'log' | 'queues' | 'requestSecrets'>;

/**
 * The job of an entry, claimed; or how the entry ends without one.
 *
 * An entry of ours refers to its record and never outlives it: without a record nothing is sent. An entry of a plain
 * BullMQ client brings a request. Its record is made first, then the entry becomes one of ours, before anything else.
 * Each step may be done twice, so a process may die between any two.
 */
export async function claimPublishEntry(entry: PublishQueueEntry, deps: AdoptDeps): Promise<OwnedJob | Settlement> {
  if (entry.isNumbered) return (await refuseUnread(entry, deps)) ?? (await moveToOwnEntry(entry, deps));
  let job = await claimJob(entry.id, entry.run, deps.ledger);
  if (job === 'missing') {
    if (isReference(entry.data)) {
      const facts = { publishJobId: entry.id, code: 'JOB_NOT_FOUND' };
      deps.log.warn(facts, 'queue entry has no ledger record, nothing is sent');
      return recordIsGone(entry.id);
    }
    const refusal = await refuseUnread(entry, deps);
    if (refusal !== undefined) return refusal;
    const request = await newRequestOf(entry, deps);
    if ('kind' in request) return request;
    await createRecord(entry, request, deps);
    job = await claimJob(entry.id, entry.run, deps.ledger);
  }
  if (!(job instanceof OwnedJob)) return { kind: 'lost' };
  return (await makeOurs(entry, job.record, deps)) ?? job;
}

/** Refuses an entry without a record whose id is none for a job, or at which its workers died. */
async function refuseUnread(entry: PublishQueueEntry, deps: Needs<'log'>): Promise<Settlement | undefined> {
  const { id, isNumbered, run } = entry;
  if (isNumbered ? id.length > MAX_JOB_ID_LENGTH : !isPlainJobId(id)) {
    const problems = [{ path: 'jobId', message: `expected ${PLAIN_JOB_ID}` }];
    return await refuse(entry, new PublishError('INPUT_INVALID', { problems }), deps);
  }
  if ((run.stalls ?? 0) < MAX_FRUITLESS_STARTS) return undefined;
  return await refuse(entry, new PublishError('INTERNAL_WORKERS_LOST'), deps);
}

/** The request that a plain client's entry brings, or the refusal of a malformed one. */
async function requestOf(entry: PublishQueueEntry, { log }: Needs<'log'>): Promise<PublishRequest | Settlement> {
  const bytes = leftOutBytesOf(entry.data);
  if (bytes !== undefined) {
    const problems = [{ path: 'data', message: `expected at most ${MAX_ENTRY_BYTES} bytes of JSON, got ${bytes}` }];
    return await refuse(entry, new PublishError('INPUT_INVALID', { problems }), { log });
  }
  try {
    return parsePublishRequest(entry.data);
  } catch (thrown) {
    return await refuse(entry, toPublishError(thrown), { log });
  }
}

async function refuse(entry: PublishQueueEntry, error: PublishError, { log }: Needs<'log'>): Promise<Settlement> {
  // A payload of a newer version stays complete, so that a newer worker can run it.
  if (error.code !== 'INPUT_VERSION_UNSUPPORTED') await entry.replaceData(withoutSecretUrls(entry.data));
  log.warn({ publishJobId: entry.id, code: error.code }, 'publish request refused');
  return failed(error);
}

/** The same for an entry without a record: its time must not have been over when its client added it. */
async function newRequestOf(entry: PublishQueueEntry, deps: Needs<'log'>): Promise<PublishRequest | Settlement> {
  const request = await requestOf(entry, deps);
  if ('kind' in request) return request;
  const error = refusalOfTime(request, entry.addedAt);
  return error === undefined ? request : await refuse(entry, error, deps);
}

/** Makes the record, its secrets sealed. One that is there already stays as it is. */
async function createRecord(
  { id }: PublishQueueEntry,
  request: PublishRequest,
  { clock, ledger, requestSecrets }: Omit<AdoptDeps, 'log' | 'queues'>,
): Promise<Pick<Created, 'record' | 'wait'>> {
  const stored = await requestSecrets.seal(request, id);
  const made = newRecord({ id, request, stored, now: clock.now(), requestDigest: digestRequest(request) });
  return await ledger.create(made, { event: 'queued', by: 'queue' });
}

/**
 * Gives the job of a numbered entry an entry of its own, under the job's id. The numbered one ends at once: under
 * its number, no other process could wake it or find its job.
 */
async function moveToOwnEntry(entry: PublishQueueEntry, deps: AdoptDeps): Promise<Settlement> {
  const moved: Settlement = { kind: 'done', result: { id: entry.id } };
  if (isReference(entry.data)) return moved;
  const request = await newRequestOf(entry, deps);
  if ('kind' in request) return request;
  const { record, wait } = await createRecord(entry, request, deps);
  const delayMs = wait ? AWAITING_TURN_MS : Math.max(0, (record.scheduledAt ?? 0) - deps.clock.now());
  await deps.queues.addPublishEntries([publishEntryOf(record, delayMs)]);
  await entry.replaceData(referenceTo(record));
  return moved;
}

/**
 * Makes a plain client's entry one of ours, which also takes the secrets of its request out of the queue.
 * @returns how the entry ends if it brings another request than the one that its id stands for
 */
async function makeOurs(
  entry: PublishQueueEntry,
  record: LedgerRecord,
  deps: Needs<'log'>,
): Promise<Settlement | undefined> {
  if (isReference(entry.data)) return undefined;
  if (!isDataLost(entry.data)) {
    const request = await requestOf(entry, deps);
    if ('kind' in request) return request;
    if (!isRequestOf(request, record)) {
      await entry.replaceData(withoutSecretUrls(entry.data));
      return failed(
        new PublishError('IDEMPOTENCY_CONFLICT', { reason: `the id ${record.id} belongs to another request` }),
      );
    }
  }
  await entry.replaceData(referenceTo(record));
  return undefined;
}

function isRequestOf(request: PublishRequest, record: LedgerRecord): boolean {
  return request.sealed === undefined
    ? digestRequest(request) === (record.requestDigest ?? digestRequest(record.request))
    : request.sealed === record.request.sealed;
}
