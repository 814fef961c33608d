import { mustBeginBy } from '../core/not-after.ts';
import type { PublishState } from '../core/publish-state.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareScript, type RedisClient } from '../redis/lua-script.ts';
import type { LedgerRecord } from './record.ts';

/** States of jobs that have an entry in `tiktok-publish`; nothing was sent yet of those that have not begun. */
const NOT_BEGUN = ['scheduled', 'queued'] as const satisfies readonly PublishState[];
const IN_PUBLISH_QUEUE = [...NOT_BEGUN, 'uploading'] as const satisfies readonly PublishState[];
const UNDER_WAY = ['uploading', 'processing'] as const satisfies readonly PublishState[];

/** Asked in a script, which a cluster runs where KEYS[1] lies. */
const RUN_ID_LUA = `return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')`;

/** When the sweep looks at a job: at `at`, or before, when the job must have begun (ms since the epoch). */
export function sweepAt(record: LedgerRecord, at: number): number {
  return Math.min(at, mustBeginBy(record) ?? at);
}

/** What the sweep reads: which jobs to check, and Redis's time. */
export function createSweepList({ redis, keys }: { readonly redis: RedisClient; readonly keys: Keys }) {
  const runRunId = prepareScript(redis, RUN_ID_LUA);

  /** A page of ids out of the indexes of some states, one index after the other, oldest first within each. */
  async function page(states: readonly PublishState[], offset: number, count: number): Promise<string[]> {
    const ids: string[] = [];
    let skip = offset;
    for (const state of states) {
      const key = keys.stateJobs(state);
      ids.push(...(await redis.zrange(key, String(skip), String(skip + count - ids.length - 1))));
      if (ids.length >= count) break;
      skip = Math.max(0, skip - (await redis.zcard(key)));
    }
    return ids;
  }

  return {
    /** Which server answers: another one after a failover, and after a restart. */
    async serverRunId(): Promise<string> {
      return String(await runRunId([keys.due], []));
    },

    /** Redis's time (ms since the epoch): one for all processes, however wrong the clock of a machine is. */
    async serverTime(): Promise<number> {
      const [seconds, microseconds] = await redis.time();
      return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    },

    /** Ids of jobs that the sweep should look at, longest due first. */
    async due(now: number, limit: number): Promise<string[]> {
      return await redis.zrangebyscore(keys.due, '-inf', now, 'LIMIT', 0, limit);
    },

    /** Tells the sweep to come back later, without any history. */
    async postpone(id: string, dueAt: number): Promise<void> {
      await redis.zadd(keys.due, 'XX', dueAt, id);
    },

    /** Removes an id from the due set whose record is gone. */
    async dropDue(id: string): Promise<void> {
      await redis.zrem(keys.due, id);
    },

    /** How many jobs should have an entry in `tiktok-publish`. */
    async countForPublishQueue(): Promise<number> {
      const counts = await Promise.all(IN_PUBLISH_QUEUE.map((state) => redis.zcard(keys.stateJobs(state))));
      return counts.reduce((sum, count) => sum + count, 0);
    },

    /** A page of ids of jobs that have not begun. */
    async notBegun(offset: number, count: number): Promise<string[]> {
      return await page(NOT_BEGUN, offset, count);
    },

    /** A page of ids of jobs that have begun. */
    async underWay(offset: number, count: number): Promise<string[]> {
      return await page(UNDER_WAY, offset, count);
    },
  };
}
