import { addCounts, type JobCounts, NO_JOBS } from '../core/job-counts.ts';
import type { JobQuery } from '../core/job-filter.ts';
import type { Clock } from '../core/ports.ts';
import type { PublishJob } from '../core/publish-job.ts';
import { isCapOfMode, MODE_OF_CAP } from '../core/publish-state.ts';
import type { LaneDelay } from '../limits/lanes.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { createJobCounts } from './job-counts.ts';
import { createJobSearch, type FoundJob, type FoundJobs } from './job-search.ts';
import { toPublishJob } from './job-view.ts';
import { createLaneDelays } from './lane-delays.ts';
import { decodeRecord, type LedgerRecord } from './record.ts';
import { decodeTimeline } from './timeline.ts';

export type LedgerReader = ReturnType<typeof createLedgerReader>;

/** The ledger's reading side: jobs as people and programs see them. */
export function createLedgerReader({ redis, keys, clock = Date }: { redis: RedisClient; keys: Keys; clock?: Clock }) {
  const laneDelays = createLaneDelays({ redis, keys, clock });

  async function readFound(ids: readonly string[], hasTimelines = true): Promise<(FoundJob | undefined)[]> {
    if (ids.length === 0) return [];
    const pipeline = redis.pipeline();
    for (const id of ids) {
      pipeline.hgetall(keys.job(id));
      if (hasTimelines) pipeline.lrange(keys.timeline(id), 0, -1);
    }
    const answers = (await pipeline.exec()) ?? [];
    const records = ids.map((id, index) => {
      const [hashError, hash] = answers[hasTimelines ? index * 2 : index] ?? [];
      const [timelineError, timeline = []] = hasTimelines ? (answers[index * 2 + 1] ?? []) : [];
      if (hashError) throw hashError;
      if (timelineError) throw timelineError;
      const fields = hash as Record<string, string>;
      const flat = Object.entries(fields).flat();
      if (flat.length === 0) return undefined;
      const record = decodeRecord(id, flat);
      return { record, timeline: hasTimelines ? decodeTimeline(record, fields.timeline, timeline as string[]) : [] };
    });
    const waiting = records.flatMap((found) => (waitsForOthers(found?.record) ? [found?.record.account ?? ''] : []));
    const pause = waiting.length === 0 ? undefined : await laneDelays.pause();
    const delays = pause === undefined ? await laneDelays.of(waiting) : new Map(waiting.map((name) => [name, pause]));
    return records.map((found) => {
      if (found === undefined) return undefined;
      const { record, timeline } = found;
      return { record, job: toPublishJob(withLaneDelay(record, delays), timeline) };
    });
  }

  async function readMany(ids: readonly string[]): Promise<(PublishJob | undefined)[]> {
    return (await readFound(ids)).map((found) => found?.job);
  }

  const { search } = createJobSearch({ redis, keys, readFound, laneDelays });
  const { count } = createJobCounts({ redis, keys, laneDelays });

  return {
    /** Several jobs in one round trip, in the order asked; undefined where there is none. */
    readMany,

    async read(id: string): Promise<PublishJob | undefined> {
      return (await readMany([id]))[0];
    },

    /** Ids of the account's jobs whose status is polled. */
    polledIds: (account: string): Promise<string[]> => redis.smembers(keys.polledJobs(account)),

    /** A page of jobs. @throws PublishError `INPUT_INVALID` for metadata by which jobs are not found */
    async list(query: JobQuery, signal?: AbortSignal) {
      const { found, ...page } = await search(query, signal);
      return { ...page, jobs: found.map(({ job }) => job) };
    },

    /** The same with their records, and without their timelines. */
    find: async (query: JobQuery, signal?: AbortSignal): Promise<FoundJobs> =>
      await search(query, signal, (ids) => readFound(ids, false)),

    /** How many jobs there are, of all accounts or of some. */
    async count(accounts?: readonly string[], signal?: AbortSignal): Promise<JobCounts> {
      if (accounts === undefined) return await count();
      let sum: JobCounts = NO_JOBS;
      for (const account of new Set(accounts)) sum = addCounts(sum, await count(account, signal));
      return sum;
    },
  };
}

function waitsForOthers(record: LedgerRecord | undefined): boolean {
  return record?.waitingFor === 'turn' || record?.waitingFor === 'publishing_paused';
}

/** A job that waits for its turn waits for what its whole account waits for. */
function withLaneDelay(record: LedgerRecord, delays: ReadonlyMap<string, LaneDelay>): LedgerRecord {
  const delay = delays.get(record.account);
  if (delay === undefined || !waitsForOthers(record)) return record;
  // One whose pause is over is about to be woken.
  if (record.waitingFor === 'publishing_paused' && delay.reason !== 'publishing_paused') return record;
  const isOfOtherMode = isCapOfMode(delay.reason) && MODE_OF_CAP[delay.reason] !== record.mode;
  return isOfOtherMode ? record : { ...record, waitingFor: delay.reason, waitingUntil: delay.until };
}
