import { performance } from 'node:perf_hooks';
import { planChunks } from '../../core/chunk-plan.ts';
import { overdueError } from '../../core/not-after.ts';
import type { SourcePin } from '../../core/ports.ts';
import { PublishError } from '../../core/publish-error.ts';
import { publishIdOf } from '../../core/session.ts';
import { Deferral } from '../../core/step-interrupt.ts';
import { HOUR_MS, MINUTE_MS } from '../../core/units.ts';
import { NOT_WAITING, nowProcessing } from '../../ledger/change.ts';
import { laneMemberOf, latenessMs } from '../../ledger/job-view.ts';
import type { LedgerPatch, LedgerRecord } from '../../ledger/record.ts';
import type { InitAnswer, PhotoSet, VideoSource } from '../../tiktok/index.ts';
import type { Needs } from '../deps.ts';
import { learnFromInit } from '../learn-facts.ts';
import type { OwnedJob } from '../owned-job.ts';
import { leaseTimes } from '../runtime/recovery.ts';
import { type PollPlanDeps, planFirstPoll } from '../status/plan-poll.ts';
import { callWithReservation, takeBookedCall } from '../tiktok-calls.ts';
import { type CreatorCheckDeps, enforceCreatorRules, refuseIfUnaudited } from './enforce-creator-rules.ts';
import { lockMayHaveEnded } from './lease.ts';
import { commitProcessing } from './status-entry.ts';

export type InitDeps = CreatorCheckDeps & Needs<'caps' | 'facts' | 'metrics'>;

/** "The upload_url is valid for one hour" (content-posting-api-reference-direct-post); a minute is left for the last chunk. */
const UPLOAD_URL_LIFE_MS = HOUR_MS - MINUTE_MS;

/**
 * Begins an upload at TikTok: intent first, then the call, then its answer, each durable before the next. The last chunk is
 * marked as started with the answer where it is the only one.
 * @returns the upload URL
 */
export async function initUpload(job: OwnedJob, pin: SourcePin, deps: InitDeps & Needs<'sealer'>): Promise<string> {
  const plan = planChunks(pin.sizeBytes, deps.settings.chunkSizeBytes);
  const answer = await init(job, { kind: 'file_upload', plan }, deps, {
    ...{ totalBytes: plan.totalBytes, chunkSizeBytes: plan.chunkSizeBytes, pin },
    ...{ sentBytes: 0, acceptedBytes: 0, acceptedCrc32: 0 },
  });
  const { publishId, uploadUrl = '' } = answer;
  const isOneChunk = plan.chunkCount === 1;
  await job.commit({
    cause: { event: 'init_answered', publishId },
    also: isOneChunk ? { event: 'last_chunk_started' } : undefined,
    hasBegun: true,
    patch: {
      session: {
        ...{ kind: 'upload', publishId },
        urlSealed: await deps.sealer.seal(uploadUrl, uploadUrlContext(job.record.id)),
        urlExpiresAt: answer.intendedAt + UPLOAD_URL_LIFE_MS,
        lastChunkStartedAt: isOneChunk ? deps.clock.now() : undefined,
      },
    },
  });
  await tellBegun(job, answer, deps);
  return uploadUrl;
}

/** Lets TikTok fetch the media. The call itself starts the post, so it is never repeated on doubt. */
export async function initFetch(
  job: OwnedJob,
  source: FetchSource,
  deps: InitDeps & PollPlanDeps & Needs<'queues'>,
): Promise<void> {
  // Before the init, so that nothing delays writing its answer to the ledger.
  const nextPollAt = planFirstPoll(job, deps);
  const answer = await init(job, source, deps, {});
  const { publishId } = answer;
  const cause = { event: 'init_answered', publishId } as const;
  const patch = nowProcessing({ kind: 'fetch', publishId }, deps.clock.now(), nextPollAt);
  await commitProcessing(job, { cause, hasBegun: true, patch }, deps);
  await tellBegun(job, answer, deps);
}

/** The upload URL of a job that was begun. */
export async function openUploadUrl({ id, session }: LedgerRecord, { sealer }: Needs<'sealer'>): Promise<string> {
  if (session.kind === 'upload' && session.urlSealed !== undefined) {
    return await sealer.open(session.urlSealed, uploadUrlContext(id));
  }
  throw new PublishError('UPLOAD_TASK_MISSING', { reason: 'no upload URL is kept' });
}

function uploadUrlContext(publishJobId: string): string {
  return `upload-url:${publishJobId}`;
}

/** Where TikTok gets the media from. */
type PublishSource = VideoSource | FetchSource;

/** What TikTok is to fetch, by URLs that it can reach. */
export type FetchSource = Extract<VideoSource, { kind: 'pull' }> | ({ readonly kind: 'photos' } & PhotoSet);

async function init(
  job: OwnedJob,
  source: PublishSource,
  deps: InitDeps,
  upload: LedgerPatch,
): Promise<InitAnswer & { readonly intendedAt: number }> {
  const { account, initCount, mode } = job.record;
  refuseIfUnaudited(job, deps);
  // The app's cap on posting accounts holds new ones back; those inside go on.
  if (mode === 'direct' && job.around.isNewcomer) {
    const heldBackUntil = await deps.caps.letIn(laneMemberOf(job.record));
    if (heldBackUntil !== undefined) throw new Deferral('active_user_cap', heldBackUntil);
  }
  const username = await enforceCreatorRules(job, deps);
  const endpoint = source.kind === 'photos' ? 'photo_init' : (`${mode}_init` as const);
  const { accessToken, isReserved } = await takeBookedCall(job, endpoint, deps);
  const stillOwned = ownershipProof(job, deps);
  const intendedAt = deps.clock.now();
  const overdue = overdueError(job.record, intendedAt);
  if (overdue !== undefined) throw overdue;
  await job.commit({
    to: 'uploading',
    withinQuota: isReserved ? undefined : endpoint,
    ...(initCount === 0 && { event: 'publish.started' as const }),
    cause: { event: 'init_sent', source: source.kind },
    patch: {
      ...upload,
      ...NOT_WAITING,
      session: { kind: 'init_sent', intendedAt },
      initCount: initCount + 1,
      ...(username !== undefined && { username }),
    },
  });
  let inDoubt = false;
  try {
    // Such an init alone makes the post; an upload's may get lost until its last chunk.
    if (source.kind !== 'file_upload') await job.confirm();
    const answer = await callWithReservation(job, endpoint, { ...deps, accessToken }, async (token) => {
      await stillOwned();
      inDoubt = true;
      try {
        return await send(source, job.record, deps, token);
      } catch (error) {
        if (error instanceof PublishError && error.row.outcomeKnown) inDoubt = false;
        throw error;
      }
    });
    return { ...answer, intendedAt };
  } catch (error) {
    // TikTok surely refused it or never got it, so no init can have published.
    if (!inDoubt) await job.commit({ cause: { event: 'init_refused' }, patch: { session: { kind: 'none' } } });
    // TikTok takes repetitions for a violation, so the jobs behind this one must not rest on what is out of date.
    if (error instanceof PublishError && error.code === 'TIKTOK_PRIVACY_MISMATCH') await deps.creators.forget(account);
    throw error;
  }
}

async function send(
  source: PublishSource,
  { mode, request: { post = {} } }: LedgerRecord,
  { tiktok }: Needs<'tiktok'>,
  accessToken: string,
): Promise<InitAnswer> {
  if (source.kind === 'photos') return await tiktok.initPhotos({ mode, post, photos: source }, { accessToken });
  if (mode === 'direct') return await tiktok.initDirectVideo({ post, source }, { accessToken });
  return await tiktok.initInboxVideo({ source }, { accessToken });
}

/**
 * Makes a check that a job is still ours, for right before a call that can't be taken back: a process that slept since
 * the last proof asks the ledger again, and gives up where another worker may take the job any moment.
 */
function ownershipProof(job: OwnedJob, { settings }: Needs<'settings'>): () => Promise<void> {
  const { leaseMs, lockMayEndAfterMs } = leaseTimes(settings.recovery);
  return async () => {
    for (let sinceMs = proofAgeMs(job); sinceMs > leaseMs; sinceMs = proofAgeMs(job)) {
      if (sinceMs > lockMayEndAfterMs) throw lockMayHaveEnded();
      await job.note();
    }
  };
}

function proofAgeMs({ provenAt }: OwnedJob): number {
  return performance.now() - provenAt;
}

async function tellBegun(
  job: OwnedJob,
  { logId, intendedAt }: InitAnswer & { readonly intendedAt: number },
  deps: InitDeps,
): Promise<void> {
  const { record } = job;
  const { log, metrics } = deps;
  const lateMs = record.initCount === 1 ? latenessMs(record, intendedAt) : undefined;
  if (lateMs !== undefined) metrics.scheduledPostReached('init', lateMs);
  // TikTok's own id, by which its support finds a post.
  log.info({ publishJobId: record.id, publishId: publishIdOf(record.session), tiktokLogId: logId }, 'post started');
  await learnFromInit(job, deps);
}
