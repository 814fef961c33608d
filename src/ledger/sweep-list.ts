import { mustBeginBy } from '../core/not-after.ts';
import type { PublishState } from '../core/publish-state.ts';
import { MINUTE_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import { asArray, prepareScript, type RedisClient } from '../redis/lua-script.ts';
import type { LedgerRecord } from './record.ts';

/** States of jobs that have an entry in `tiktok-publish`; nothing was sent yet of those that have not begun. */
const NOT_BEGUN = ['scheduled', 'queued'] as const satisfies readonly PublishState[];
const IN_PUBLISH_QUEUE = [...NOT_BEGUN, 'uploading'] as const satisfies readonly PublishState[];
const UNDER_WAY = ['uploading', 'processing'] as const satisfies readonly PublishState[];

/** Asked in a script, which a cluster runs where KEYS[1] lies. */
const RUN_ID_LUA = `return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')`;

/** How long the jobs that one process took to look after are left alone by the others (ms). */
const TAKEN_MS = MINUTE_MS;

/** Takes the jobs that are due first; `ARGV`: now, when they are due again, and how many. */
const TAKE_DUE_LUA = `
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
local later = {}
for _, id in ipairs(ids) do later[#later + 1] = ARGV[2]; later[#later + 1] = id end
if #ids > 0 then redis.call('ZADD', KEYS[1], unpack(later)) end
return ids
`;

/**
 * The score of what was taken at a time. Everyone else writes whole milliseconds, so a job that is due at another time was
 * changed since.
 */
function takenScore(now: number): number {
  return now + TAKEN_MS + 0.5;
}

/** Says when jobs are due that nobody changed since they were taken; `ARGV`: their score, then due times and ids. */
const POSTPONE_LUA = `
local isTaken, later = {}, {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[1])) do isTaken[id] = true end
for place = 2, #ARGV, 2 do
  if isTaken[ARGV[place + 1]] then
    later[#later + 1] = ARGV[place]
    later[#later + 1] = ARGV[place + 1]
  end
end
if #later > 0 then redis.call('ZADD', KEYS[1], unpack(later)) end
`;

/** How many jobs should have an entry in a queue, and how many entries of it are to run. KEYS: how its keys begin, indexes. */
const COUNT_LUA = `
local wanted, found = 0, 0
for place = 2, #KEYS do wanted = wanted + redis.call('ZCARD', KEYS[place]) end
for _, list in ipairs({ 'wait', 'paused', 'active' }) do found = found + redis.call('LLEN', KEYS[1] .. list) end
for _, set in ipairs({ 'prioritized', 'delayed' }) do found = found + redis.call('ZCARD', KEYS[1] .. set) end
return wanted - found
`;

/** When the sweep looks at a job: at `at`, or before, when the job must have begun (ms since the epoch). */
export function sweepAt(record: LedgerRecord, at: number): number {
  return Math.min(at, mustBeginBy(record) ?? at);
}

/** What the sweep reads: which jobs to check, and Redis's time. */
export function createSweepList({ redis, keys }: { readonly redis: RedisClient; readonly keys: Keys }) {
  const runRunId = prepareScript(redis, RUN_ID_LUA);
  const runTakeDue = prepareScript(redis, TAKE_DUE_LUA);
  const runPostpone = prepareScript(redis, POSTPONE_LUA);
  const runCount = prepareScript(redis, COUNT_LUA);

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

    /**
     * Takes jobs that the sweep should look at, longest due first: for a minute no other process gets them. Who looks at one
     * says when it is due again.
     * @returns their ids
     */
    async takeDue(now: number, limit: number): Promise<string[]> {
      return asArray(await runTakeDue([keys.due], [now, takenScore(now), limit])).map(String);
    },

    /**
     * Says when jobs are due again that were taken at `now`, without any history. One that was changed since then is due as
     * the change said.
     * @param dueAt by id
     */
    async postpone(now: number, dueAt: ReadonlyMap<string, number>): Promise<void> {
      const pairs = [...dueAt].flatMap(([id, at]) => [at, id]);
      if (pairs.length > 0) await runPostpone([keys.due], [takenScore(now), ...pairs]);
    },

    /** Removes an id from the due set whose record is gone. */
    async dropDue(id: string): Promise<void> {
      await redis.zrem(keys.due, id);
    },

    /**
     * How many entries `tiktok-publish` lacks for the jobs that should have one, at one moment; below 0, it has more.
     * @param queueKey how its keys begin
     */
    async countMissingEntries(queueKey: string): Promise<number> {
      return Number(await runCount([queueKey, ...IN_PUBLISH_QUEUE.map(keys.stateJobs)], []));
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
