import type { LedgerProgress } from '../../ledger/record.ts';
import type { StatusAnswer } from '../../tiktok/index.ts';
import type { Needs } from '../deps.ts';
import type { OwnedJob } from '../owned-job.ts';
import { askToStopPull } from '../tiktok-calls.ts';

/**
 * Looks whether TikTok's download goes on. One that stands still for too long is stopped at TikTok, as far as TikTok
 * lets it be; what came of that shows in its status.
 * @returns what is to be noted with the poll
 */
export async function watchPull(
  job: OwnedJob,
  answer: StatusAnswer,
  deps: Needs<'clock' | 'settings' | 'tiktok' | 'tokens'>,
): Promise<LedgerProgress> {
  const { record } = job;
  if (record.request.media.type !== 'pull' || answer.status !== 'PROCESSING_DOWNLOAD') return {};
  const now = deps.clock.now();
  const { downloadedBytes = 0 } = answer;
  if (record.pullBytes !== downloadedBytes) return { pullBytes: downloadedBytes, pullProgressAt: now };
  const stoodStillMs = now - (record.pullProgressAt ?? now);
  if (stoodStillMs < deps.settings.pullStallMs) return {};
  await job.commit({ cause: { event: 'pull_stalled', downloadedBytes, stoodStillMs }, patch: { pullStalledAt: now } });
  const hasAgreed = await askToStopPull(job, deps);
  // Not `cancelAskedAt`: should TikTok go on all the same, a person's wish is still to be passed on.
  await job.commit({
    cause: hasAgreed ? { event: 'pull_stopped' } : { event: 'pull_not_stopped', code: 'TIKTOK_NOT_CANCELLABLE' },
  });
  return { pullProgressAt: now };
}
