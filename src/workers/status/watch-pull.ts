import type { LedgerProgress } from '../../ledger/record.ts';
import type { StatusAnswer } from '../../tiktok/index.ts';
import type { Needs } from '../deps.ts';
import type { OwnedJob } from '../owned-job.ts';
import { askToStopPull } from '../tiktok-calls.ts';

/**
 * Detects a stalled download. TikTok is asked to stop it; the status shows the result.
 * @returns progress to note with the poll
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
  // Not `cancelAskedAt`: if TikTok continues anyway, a person's request to cancel must still be sent.
  await job.commit({
    cause: hasAgreed ? { event: 'pull_stopped' } : { event: 'pull_not_stopped', code: 'TIKTOK_NOT_CANCELLABLE' },
  });
  return { pullProgressAt: now };
}
