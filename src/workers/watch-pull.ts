import { publishEntryOf } from '../core/job-reference.ts';
import { PublishError } from '../core/publish-error.ts';
import { SWEEP_AFTER_MS } from '../ledger/ledger.ts';
import { NO_SESSION } from '../ledger/no-session.ts';
import type { LedgerProgress, LedgerRecord } from '../ledger/record.ts';
import type { StatusAnswer } from '../tiktok/index.ts';
import { withToken } from '../tiktok/with-token.ts';
import type { WorkerDeps } from './deps.ts';
import { endJob, toResult } from './end-job.ts';
import type { OwnedJob } from './owned-job.ts';
import type { Settlement } from './settlement.ts';

/**
 * Looks whether TikTok's download goes on. One that stands still for too long is stopped at TikTok, as far as TikTok
 * lets it be; what came of that shows in its status.
 * @returns what is to be noted with the poll
 */
export async function watchPull(job: OwnedJob, answer: StatusAnswer, deps: WorkerDeps): Promise<LedgerProgress> {
  const { record } = job;
  if (record.request.media.type !== 'pull' || answer.status !== 'PROCESSING_DOWNLOAD') return {};
  const now = deps.clock.now();
  const { downloadedBytes = 0 } = answer;
  if (record.pullBytes !== downloadedBytes) return { pullBytes: downloadedBytes, pullProgressAt: now };
  const stoodStillMs = now - (record.pullProgressAt ?? now);
  if (stoodStillMs < deps.settings.pullStallMs) return {};
  await stopPull(job, { downloadedBytes, stoodStillMs }, deps);
  return { pullProgressAt: now };
}

async function stopPull(job: OwnedJob, facts: Record<string, number>, deps: WorkerDeps): Promise<void> {
  const { publishId, account } = job.record;
  if (publishId === undefined) return;
  await job.commit({ cause: { event: 'pull_stalled', ...facts }, patch: { pullStalledAt: deps.clock.now() } });
  try {
    await withToken(account, deps, (accessToken) => deps.tiktok.cancelPublish({ publishId }, { accessToken }));
    // Not `cancelAskedAt`: should TikTok go on all the same, a person's wish is still to be passed on.
    await job.commit({ cause: { event: 'pull_stopped' }, patch: {} });
  } catch (error) {
    if (!(error instanceof PublishError) || error.code !== 'TIKTOK_NOT_CANCELLABLE') throw error;
    await job.commit({ cause: { event: 'pull_not_stopped', code: error.code }, patch: {} });
  }
}

/**
 * Goes on without TikTok's download, once TikTok itself has declared it dead.
 * @returns undefined when this is no such case
 */
export async function settleDeadPull(
  job: OwnedJob,
  error: PublishError,
  deps: WorkerDeps,
): Promise<Settlement | undefined> {
  const { record } = job;
  const isStopped = error.code === 'TIKTOK_PUBLISH_CANCELLED' && record.pullStalledAt !== undefined;
  if (!isStopped && error.code !== 'TIKTOK_PULL_FAILED') return undefined;
  if (mayFallBack(record)) return await fallBack(job, error, deps);
  if (!isStopped) return undefined;
  const reason = `TikTok's download stalled at ${record.pullBytes ?? 0} bytes and was cancelled`;
  const stalled = new PublishError('TIKTOK_PULL_STALLED', { ...error.details, reason });
  return await endJob(job, { to: 'failed', error: stalled }, deps);
}

function mayFallBack({ request: { media }, fellBackAt }: LedgerRecord): boolean {
  return media.type === 'pull' && media.fallback === 'upload' && fellBackAt === undefined;
}

async function fallBack(job: OwnedJob, error: PublishError, deps: WorkerDeps): Promise<Settlement> {
  const now = deps.clock.now();
  await job.commit({
    to: 'queued',
    cause: { event: 'fell_back', to: 'upload', code: error.code },
    patch: { ...NO_SESSION, fellBackAt: now, attempts: 0 },
    dueAt: now + SWEEP_AFTER_MS,
  });
  await deps.queues.addPublishEntryAnew(publishEntryOf(job.record, 0));
  return { kind: 'done', result: toResult(job.record) };
}
