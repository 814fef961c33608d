import type { Clock } from '../core/ports.ts';
import {
  countersOf,
  type PublishEnd,
  STATISTICS_RANGES,
  type StatisticsRange,
  type TimedStatistics,
  toStatistics,
} from '../core/publish-statistics.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

const RANGES = Object.keys(STATISTICS_RANGES) as StatisticsRange[];

export type StatisticsStore = ReturnType<typeof createStatisticsStore>;

/**
 * Counts the publish jobs that ended, in buckets of time that Redis deletes when they are too old. Counts are gathered here
 * and written together, so that they cost a publish nothing; a process that is killed loses those of a few seconds.
 */
export function createStatisticsStore({ redis, keys, clock }: { redis: RedisClient; keys: Keys; clock: Clock }) {
  /** By key of the bucket: how much each counter grew. */
  let gathered = new Map<string, Map<string, number>>();

  function bucketAt(range: StatisticsRange, at: number): string {
    const { bucketMs } = STATISTICS_RANGES[range];
    return keys.statistics(range, Math.floor(at / bucketMs) * bucketMs);
  }

  return {
    note(end: PublishEnd): void {
      const now = clock.now();
      for (const key of RANGES.map((range) => bucketAt(range, now))) {
        const counters = gathered.get(key) ?? new Map<string, number>();
        gathered.set(key, counters);
        for (const name of countersOf(end)) counters.set(name, (counters.get(name) ?? 0) + 1);
      }
    },

    /** Writes what was gathered; what could not be written is not tried again. */
    async flush(): Promise<void> {
      if (gathered.size === 0) return;
      const written = gathered;
      gathered = new Map();
      const pipeline = redis.pipeline();
      for (const [key, counters] of written) {
        for (const [name, count] of counters) pipeline.hincrby(key, name, count);
        const range = RANGES.find((each) => key.startsWith(keys.statistics(each, '')));
        const { spanMs, bucketMs } = STATISTICS_RANGES[range ?? 'week'];
        pipeline.pexpire(key, spanMs + bucketMs);
      }
      await pipeline.exec();
    },

    /** The buckets of a range up to now, oldest first; those in which nothing ended are there too. */
    async read(range: StatisticsRange): Promise<TimedStatistics[]> {
      const { spanMs, bucketMs } = STATISTICS_RANGES[range];
      const end = Math.floor(clock.now() / bucketMs) * bucketMs;
      const starts = Array.from({ length: spanMs / bucketMs }, (_, index) => end - spanMs + bucketMs * (index + 1));
      const pipeline = redis.pipeline();
      for (const at of starts) pipeline.hgetall(keys.statistics(range, at));
      const answers = (await pipeline.exec()) ?? [];
      return starts.map((at, index) => {
        const [error, counters] = answers[index] ?? [];
        if (error) throw error;
        return { at, ...toStatistics(Object(counters)) };
      });
    },
  };
}
