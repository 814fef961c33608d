import { isPulledVideo, mediaInUse } from '../../core/media-route.ts';
import { isPastDeadline } from '../../core/poll-schedule.ts';
import { PublishError } from '../../core/publish-error.ts';
import { isTerminal } from '../../core/publish-state.ts';
import type { Settlement } from '../../core/settlement.ts';
import type { LedgerProgress } from '../../ledger/record.ts';
import type { StatusAnswer } from '../../tiktok/index.ts';
import type { Needs, WorkerDeps } from '../deps.ts';
import { type EndDeps, endJob, settlementOf, toResult } from '../end-job.ts';
import { ensureEntry } from '../ensure-entry.ts';
import { learnOfDuration } from '../learn-facts.ts';
import { OwnedJob } from '../owned-job.ts';
import { failureOf } from '../publish/upload-position.ts';
import { settleTrouble } from '../settle-trouble.ts';
import { inSpan } from '../step-span.ts';
import { askStatus, askToStopPull, type QuotaCallDeps } from '../tiktok-calls.ts';
import { pollAgain } from './ask-again.ts';
import { noteMissingWebhook, type PollPlanDeps } from './plan-poll.ts';
import { claimStatusEntry, type StatusQueueEntry } from './status-entry.ts';

/** Queries a post's status once and decides when to query again. */
export async function processStatusEntry(entry: StatusQueueEntry, deps: WorkerDeps): Promise<Settlement> {
  const job = await claimStatusEntry(entry, deps);
  if (!(job instanceof OwnedJob)) return job;
  try {
    return await inSpan('poll', job.record, deps, async () => await poll(job, deps));
  } catch (thrown) {
    return await settleTrouble(job, thrown, 'poll', deps);
  }
}

async function poll(
  job: OwnedJob,
  deps: QuotaCallDeps & EndDeps & PollPlanDeps & Needs<'facts' | 'ledger' | 'pollTimes' | 'tiktok' | 'webhooks'>,
): Promise<Settlement> {
  const { record } = job;
  if (isTerminal(record.state)) return settlementOf(record);
  if (record.state !== 'processing') {
    // It started again, and the process that decided so may have died before it added the entry.
    await ensureEntry(record, deps);
    return { kind: 'done', result: toResult(record) };
  }
  if (record.cancelRequestedAt !== undefined) await askToCancel(job, deps);
  const askedAt = deps.clock.now();
  const answer = await askStatus(job, deps);
  const lagMs = deps.pollTimes.takeLag(record.id, askedAt);
  if (lagMs !== undefined) deps.metrics.pollLag(lagMs);
  deps.metrics.statusPolled(answer.rawStatus);
  if (isOutcome(answer)) await noteMissingWebhook(record, deps);
  switch (answer.status) {
    case 'PUBLISH_COMPLETE':
      await learnOfDuration(job, 'video_published', deps);
      return await endJob(job, { to: 'published', postIds: answer.postIds, tiktokStatus: answer.rawStatus }, deps);
    case 'SEND_TO_USER_INBOX':
      return await endJob(job, { to: 'in_inbox', tiktokStatus: answer.rawStatus }, deps);
    case 'FAILED':
      throw failureOf(answer);
    default: {
      const progress = await watchPull(job, answer, deps);
      const now = deps.clock.now();
      const processingForMs = now - (record.processingSince ?? now);
      if (isPastDeadline(processingForMs, deps.settings.pollSchedule)) throw new PublishError('TIKTOK_NO_OUTCOME');
      return await pollAgain(job, deps, { progress });
    }
  }
}

function isOutcome({ status }: StatusAnswer): boolean {
  return status === 'PUBLISH_COMPLETE' || status === 'SEND_TO_USER_INBOX' || status === 'FAILED';
}

/** Asks TikTok to stop a pull, once per request to cancel. */
async function askToCancel(job: OwnedJob, deps: Needs<'clock' | 'tiktok' | 'tokens'>): Promise<void> {
  if (job.record.cancelAskedAt !== undefined) return;
  const hasAgreed = await askToStopPull(job, deps);
  // The request stays even if TikTok refused: a pull that then fails must not start again.
  await job.commit({
    cause: hasAgreed ? { event: 'cancel_accepted' } : { event: 'cancel_refused', code: 'TIKTOK_NOT_CANCELLABLE' },
    patch: { cancelAskedAt: deps.clock.now() },
  });
}

/**
 * Detects a stalled download. TikTok is asked to stop it; the status shows the result.
 * @returns progress to note with the poll
 */
async function watchPull(
  job: OwnedJob,
  answer: StatusAnswer,
  deps: Needs<'clock' | 'settings' | 'tiktok' | 'tokens'>,
): Promise<LedgerProgress> {
  const { record } = job;
  if (!isPulledVideo(mediaInUse(record)) || answer.status !== 'PROCESSING_DOWNLOAD') return {};
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
