import { DAY_MS, MINUTE_MS, SECOND_MS } from './units.ts';

/** When a processing post's status is asked for: quickly at first, then slowly for a day. */
export interface PollSchedule {
  /** Delay before the first poll. */
  readonly firstMs: number;
  /** Growth of the delay from poll to poll. */
  readonly factor: number;
  /** Longest delay of the fast phase. */
  readonly maxMs: number;
  /** Time in processing after which the slow phase begins. */
  readonly slowAfterMs: number;
  readonly slowMs: number;
  /** Time in processing after which the outcome counts as unconfirmed. */
  readonly giveUpAfterMs: number;
  /** The same while TikTok's webhooks arrive, which tell of an outcome sooner than any poll. */
  readonly withWebhooks: Pick<PollSchedule, 'firstMs' | 'factor' | 'maxMs' | 'slowMs'>;
  /** Least delay per open job of the same account, so that all of them together stay below TikTok's limit. */
  readonly minPerOpenJobMs: number;
}

/**
 * Most videos are processed within a minute, a public post's moderation takes up to hours ("processing for 1 GB takes
 * around 1 minute", content-posting-api-reference-get-video-status, read 2026-11-22), and 30 status calls a minute are
 * allowed for each account, of which this uses at most 20.
 */
export const DEFAULT_POLL_SCHEDULE: PollSchedule = {
  firstMs: 5 * SECOND_MS,
  factor: 1.5,
  maxMs: 30 * SECOND_MS,
  slowAfterMs: 10 * MINUTE_MS,
  slowMs: 5 * MINUTE_MS,
  giveUpAfterMs: DAY_MS,
  withWebhooks: { firstMs: MINUTE_MS, factor: 2, maxMs: 5 * MINUTE_MS, slowMs: 15 * MINUTE_MS },
  minPerOpenJobMs: 3 * SECOND_MS,
};

/** Share by which a delay is lengthened at random, so that jobs begun together drift apart. */
const JITTER = 0.2;

export interface PollProgress {
  readonly pollsDone: number;
  /** Time since TikTok has had everything (ms). */
  readonly processingForMs: number;
  /** Jobs of the same account that are polled now, this one included. */
  readonly openJobsOfAccount?: number;
  /** TikTok's webhooks arrive, and none has told of this job yet. */
  readonly awaitsWebhook?: boolean;
}

/** The time until the next status poll (ms). `random` gives numbers from 0 to 1. */
export function nextPollDelayMs(
  progress: PollProgress,
  options: { readonly random: () => number; readonly schedule?: PollSchedule },
): number {
  const schedule = options.schedule ?? DEFAULT_POLL_SCHEDULE;
  const plannedMs = Math.max(
    phaseDelayMs(progress, schedule),
    (progress.openJobsOfAccount ?? 0) * schedule.minPerOpenJobMs,
  );
  return Math.round(plannedMs * (1 + JITTER * options.random()));
}

function phaseDelayMs({ pollsDone, processingForMs, awaitsWebhook }: PollProgress, schedule: PollSchedule): number {
  const { firstMs, factor, maxMs, slowMs } = awaitsWebhook === true ? schedule.withWebhooks : schedule;
  if (processingForMs >= schedule.slowAfterMs) return slowMs;
  return Math.min(firstMs * factor ** pollsDone, maxMs);
}

/** Whether an outcome is so late that the job becomes `unconfirmed`. */
export function isPastDeadline(processingForMs: number, schedule: PollSchedule = DEFAULT_POLL_SCHEDULE): boolean {
  return processingForMs >= schedule.giveUpAfterMs;
}
