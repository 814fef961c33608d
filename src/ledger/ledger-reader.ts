import { z } from 'zod';
import { readAccountHold } from '../accounts/account-hold.ts';
import type { Clock } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import type { PublishJob, TimelineEntry } from '../core/publish-job.ts';
import { isCapOfMode, MODE_OF_CAP, type PublishState } from '../core/publish-state.ts';
import { sha256Hex } from '../core/request-digest.ts';
import { MINUTE_MS } from '../core/units.ts';
import { type LaneDelay, parseLaneDelay } from '../limits/lanes.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { toPublishJob } from './job-view.ts';
import { decodeRecord, type LedgerRecord } from './record.ts';

/** Which jobs to list, newest first. */
export interface ReadFilter {
  readonly account?: string | undefined;
  readonly state?: PublishState | undefined;
  /** The one job that was enqueued under it. */
  readonly idempotencyKey?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export type LedgerReader = ReturnType<typeof createLedgerReader>;

/** The ledger's reading side: jobs as people and programs see them. */
export function createLedgerReader({ redis, keys, clock = Date }: { redis: RedisClient; keys: Keys; clock?: Clock }) {
  async function readMany(ids: readonly string[]): Promise<(PublishJob | undefined)[]> {
    if (ids.length === 0) return [];
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.hgetall(keys.job(id)).lrange(keys.timeline(id), 0, -1);
    const answers = (await pipeline.exec()) ?? [];
    const records = ids.map((_, index) => {
      const [hashError, hash] = answers[index * 2] ?? [];
      const [timelineError, timeline] = answers[index * 2 + 1] ?? [];
      if (hashError) throw hashError;
      if (timelineError) throw timelineError;
      const flat = Object.entries(hash as Record<string, string>).flat();
      if (flat.length === 0) return undefined;
      return { record: decodeRecord(flat), timeline: parseTimeline(timeline as string[]) };
    });
    const delays = await readLaneDelays(records.flatMap((found) => (found === undefined ? [] : [found.record])));
    return records.map((found) =>
      found === undefined ? undefined : toPublishJob(withLaneDelay(found.record, delays), found.timeline),
    );
  }

  /** Why the lanes stand still in which jobs wait for their turn, by account. */
  async function readLaneDelays(records: readonly LedgerRecord[]): Promise<ReadonlyMap<string, LaneDelay>> {
    const waiting = records.filter(({ waitingFor }) => waitingFor === 'turn').map(({ account }) => account);
    const delays = new Map<string, LaneDelay>();
    for (const account of new Set(waiting)) {
      const hold = await readAccountHold(redis, keys, account);
      const delay = parseLaneDelay(await redis.hgetall(keys.laneDelay(account)));
      if (hold !== undefined) delays.set(account, { reason: hold, until: undefined });
      else if (delay !== undefined && !isOver(delay, clock.now())) delays.set(account, delay);
    }
    return delays;
  }

  return {
    /** Several jobs in one round trip, in the order asked; undefined where there is none. */
    readMany,

    async read(id: string): Promise<PublishJob | undefined> {
      return (await readMany([id]))[0];
    },

    /** Ids of the account's jobs whose status is polled. */
    polledIds: (account: string): Promise<string[]> => redis.smembers(keys.polledJobs(account)),

    /** A page of jobs, newest first; with both filters the account's jobs are read through. */
    async list(filter: ReadFilter): Promise<{ jobs: PublishJob[]; nextCursor: string | null }> {
      if (filter.idempotencyKey !== undefined) {
        const id = await redis.get(keys.idempotency(sha256Hex(filter.idempotencyKey)));
        const found = id === null ? [] : await readMany([id]);
        return {
          jobs: found.flatMap((job) => (job !== undefined && isWanted(job, filter) ? [job] : [])),
          nextCursor: null,
        };
      }
      const index = indexFor(keys, filter);
      const jobs: PublishJob[] = [];
      let before = parseCursor(filter.cursor);
      for (;;) {
        const page = await readPage(redis, index, before, filter.limit);
        const found = await readMany(page.map(({ id }) => id));
        for (const [position, entry] of page.entries()) {
          before = entry;
          const job = found[position];
          if (job === undefined || !isWanted(job, filter)) continue;
          jobs.push(job);
          if (jobs.length === filter.limit) return { jobs, nextCursor: formatCursor(entry) };
        }
        if (page.length < filter.limit) return { jobs, nextCursor: null };
      }
    },
  };
}

/** An index has one of these filters at most behind it. */
function isWanted({ account, state }: PublishJob, filter: ReadFilter): boolean {
  return (filter.account ?? account) === account && (filter.state ?? state) === state;
}

/** A job that waits for its turn waits for what its whole account waits for. */
function withLaneDelay(record: LedgerRecord, delays: ReadonlyMap<string, LaneDelay>): LedgerRecord {
  const delay = record.waitingFor === 'turn' ? delays.get(record.account) : undefined;
  const isOfOtherMode = isCapOfMode(delay?.reason) && MODE_OF_CAP[delay.reason] !== record.mode;
  return delay === undefined || isOfOtherMode
    ? record
    : { ...record, waitingFor: delay.reason, waitingUntil: delay.until };
}

/** Whether nothing came of a delay, such as one whose job was cancelled. */
function isOver({ until }: LaneDelay, now: number): boolean {
  return until !== undefined && until < now - MINUTE_MS;
}

/** A place in an index: creation time and id, both needed where several jobs share a time. */
interface Position {
  readonly createdAt: number;
  readonly id: string;
}

function indexFor(keys: Keys, filter: ReadFilter): string {
  if (filter.account !== undefined) return keys.accountJobs(filter.account);
  if (filter.state !== undefined) return keys.stateJobs(filter.state);
  return keys.allJobs;
}

/** Entries strictly older than `before`. Ids of one millisecond come in reverse order of the alphabet, as Redis sorts. */
async function readPage(
  redis: RedisClient,
  index: string,
  before: Position | undefined,
  limit: number,
): Promise<Position[]> {
  const max = before === undefined ? '+inf' : String(before.createdAt);
  const entries: Position[] = [];
  let offset = 0;
  while (entries.length < limit) {
    const flat = await redis.zrevrangebyscore(index, max, '-inf', 'WITHSCORES', 'LIMIT', offset, limit);
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const entry = { id: String(flat[i]), createdAt: Number(flat[i + 1]) };
      if (before === undefined || entry.createdAt < before.createdAt || entry.id < before.id) entries.push(entry);
    }
    if (flat.length < limit * 2) break;
    offset += limit;
  }
  return entries.slice(0, limit);
}

const cursorSchema = z.tuple([z.int().nonnegative(), z.string().min(1)]);

function formatCursor({ createdAt, id }: Position): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url');
}

function parseCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [createdAt, id] = cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { createdAt, id };
  } catch (cause) {
    const problems = [{ path: 'cursor', message: 'expected nextCursor of the previous page' }];
    throw new PublishError('INPUT_INVALID', { problems }, { cause });
  }
}

const timelineEntrySchema = z.looseObject({ at: z.string(), event: z.string() });

function parseTimeline(entries: readonly string[]): TimelineEntry[] {
  return entries.map((entry) => timelineEntrySchema.parse(JSON.parse(entry)));
}
