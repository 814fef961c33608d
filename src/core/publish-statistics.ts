import { z } from 'zod';
import type { EndState } from './publish-event.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './units.ts';

/** Upper edges of the buckets of durations (ms): moderation takes minutes to hours, and we watch for a day. */
export const DURATION_EDGES_MS: readonly number[] = [
  ...[1, 5, 15, 30].map((seconds) => seconds * SECOND_MS),
  ...[1, 2, 5, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 4, 8, 16].map((hours) => hours * HOUR_MS),
  DAY_MS,
];

/** How far back statistics go, and how long each of their buckets is (ms). */
export const STATISTICS_RANGES = {
  hour: { spanMs: HOUR_MS, bucketMs: MINUTE_MS },
  day: { spanMs: DAY_MS, bucketMs: 15 * MINUTE_MS },
  week: { spanMs: 7 * DAY_MS, bucketMs: 2 * HOUR_MS },
} as const;
export type StatisticsRange = keyof typeof STATISTICS_RANGES;
export const STATISTICS_RANGE_NAMES = Object.keys(STATISTICS_RANGES) as StatisticsRange[];

/** Outcomes that are counted. Cancelled jobs are neither a success nor a failure. */
const COUNTED = ['published', 'in_inbox', 'failed', 'unconfirmed'] as const satisfies EndState[];
export type CountedState = (typeof COUNTED)[number];

/** A publish job that has ended for the first time. */
export interface PublishEnd {
  readonly state: CountedState;
  /** From enqueuing, or the scheduled time, to the outcome. */
  readonly tookMs: number;
  /** From the scheduled time to the outcome; undefined where there is no such time, or a person retried the job. */
  readonly lateMs: number | undefined;
}

/** What ended in one stretch of time. Durations are of successes only, counted by {@link DURATION_EDGES_MS}. */
export interface PublishStatistics {
  readonly ended: Readonly<Record<CountedState, number>>;
  readonly took: readonly number[];
  readonly late: readonly number[];
}

/** What ended in a bucket, and when the bucket began (ms since the epoch). */
export interface TimedStatistics extends PublishStatistics {
  readonly at: number;
}

/** Whether a state is an outcome that is counted. */
export function isCounted(state: string): state is CountedState {
  return COUNTED.some((each) => each === state);
}

/** The counters that a job adds one to. */
export function countersOf({ state, tookMs, lateMs }: PublishEnd): string[] {
  if (state === 'failed' || state === 'unconfirmed') return [state];
  return [state, `took:${bucketOf(tookMs)}`, ...(lateMs === undefined ? [] : [`late:${bucketOf(lateMs)}`])];
}

/** The reverse, of counters as Redis answers them. */
export function toStatistics(counters: Readonly<Record<string, string>>): PublishStatistics {
  const count = (name: string) =>
    z.coerce
      .number()
      .int()
      .catch(0)
      .parse(counters[name] ?? 0);
  const histogram = (name: string) => [...DURATION_EDGES_MS, 0].map((_, bucket) => count(`${name}:${bucket}`));
  return {
    ended: {
      ...{ published: count('published'), in_inbox: count('in_inbox') },
      ...{ failed: count('failed'), unconfirmed: count('unconfirmed') },
    },
    took: histogram('took'),
    late: histogram('late'),
  };
}

/** All of them as one. */
export function sumStatistics(all: readonly PublishStatistics[]): PublishStatistics {
  const ended = { published: 0, in_inbox: 0, failed: 0, unconfirmed: 0 };
  for (const each of all) for (const state of COUNTED) ended[state] += each.ended[state];
  const add = (name: 'took' | 'late') =>
    [...DURATION_EDGES_MS, 0].map((_, bucket) => all.reduce((sum, each) => sum + (each[name][bucket] ?? 0), 0));
  return { ended, took: add('took'), late: add('late') };
}

/** How many succeeded, and how many did not. */
export function outcomesOf({ ended }: PublishStatistics): { good: number; bad: number } {
  return { good: ended.published + ended.in_inbox, bad: ended.failed + ended.unconfirmed };
}

/**
 * About the duration (ms) that a share of all, such as 0.95, does not exceed: within a bucket, all durations count as
 * equally likely. Undefined where there are none; beyond the last edge, that edge.
 * @param histogram how many there are in each bucket of {@link DURATION_EDGES_MS}
 * @example quantileMs([0, 10], 0.5); // 3000
 * @internal
 */
export function quantileMs(histogram: readonly number[], share: number): number | undefined {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let left = total * share;
  for (const [bucket, edge] of DURATION_EDGES_MS.entries()) {
    const count = histogram[bucket] ?? 0;
    const start = DURATION_EDGES_MS[bucket - 1] ?? 0;
    if (count > 0 && left <= count) return Math.round(start + ((edge - start) * left) / count);
    left -= count;
  }
  return DURATION_EDGES_MS.at(-1);
}

/** The durations (ms) that half of all, and 95 % of them, do not exceed; null where there are none. */
export function spreadOf(histogram: readonly number[]): { p50Ms: number; p95Ms: number } | null {
  const [p50Ms, p95Ms] = [quantileMs(histogram, 0.5), quantileMs(histogram, 0.95)];
  return p50Ms === undefined || p95Ms === undefined ? null : { p50Ms, p95Ms };
}

function bucketOf(durationMs: number): number {
  const bucket = DURATION_EDGES_MS.findIndex((edge) => durationMs <= edge);
  return bucket === -1 ? DURATION_EDGES_MS.length : bucket;
}
