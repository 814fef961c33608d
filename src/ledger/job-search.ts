import { type JobQuery, matchesFilter, type ParsedFilter, type TimeRange, timeRange } from '../core/job-filter.ts';
import { PublishError } from '../core/publish-error.ts';
import type { PublishJob } from '../core/publish-job.ts';
import { isCapOfMode } from '../core/publish-state.ts';
import { sha256Hex } from '../core/request-digest.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { INDEX_NAMES } from './index-names.ts';
import {
  bounds,
  type Condition,
  createIndexWalk,
  EVER,
  formatCursor,
  isWithin,
  PAGE,
  type Position,
  parseCursor,
} from './index-walk.ts';
import type { LaneDelays } from './lane-delays.ts';
import type { LedgerRecord } from './record.ts';

/** Most entries that one search looks at; then it answers with what it found, and where to go on. */
const MAX_LOOKED_AT = 10_000;
/** Most records that one search reads. */
const MAX_READ = 2_000;
/** Of more accounts not each index is asked: whose job it is stands in the record. */
const MAX_ASKED_ACCOUNTS = 20;
/** Most records that are read at a time. */
const READ_AT_ONCE = 100;

/** A job, and its record as it was read at the same time. */
export interface FoundJob {
  readonly job: PublishJob;
  readonly record: LedgerRecord;
}

/** A page of jobs. */
export interface FoundJobs {
  readonly found: FoundJob[];
  readonly nextCursor: string | null;
  /** Only while workers still index jobs of an older version, which may be missing. */
  readonly indexing?: true;
}

type ReadFound = (ids: readonly string[]) => Promise<(FoundJob | undefined)[]>;

interface SearchParts {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly readFound: ReadFound;
  readonly laneDelays: LaneDelays;
}

/**
 * Finds jobs by the indexes: walks the one with the fewest entries, and asks the others about each page of it. Records are
 * read only of jobs that are in all of them, and have the last word.
 */
export function createJobSearch({ redis, keys, readFound, laneDelays }: SearchParts) {
  const { keyOf, scoresOf, walkOf } = createIndexWalk({ redis, keys });

  async function conditionsOf(filter: ParsedFilter): Promise<Condition[]> {
    const { account, state, code, media, metadata = {}, waitingFor } = filter;
    const ended = timeRange(filter.endedFrom, filter.endedBefore);
    const scheduled = timeRange(filter.scheduledFrom, filter.scheduledBefore);
    await refuseUnindexed(Object.keys(metadata));
    return [
      ...(account === undefined || account.length > MAX_ASKED_ACCOUNTS
        ? []
        : [{ names: account.map(INDEX_NAMES.account) }]),
      ...(state === undefined ? [] : [{ names: state.map(INDEX_NAMES.state) }]),
      ...(code === undefined ? [] : [{ names: code.map(INDEX_NAMES.code) }]),
      ...(media === undefined ? [] : [{ names: media.map(INDEX_NAMES.media) }]),
      ...(ended === undefined ? [] : [{ names: [INDEX_NAMES.ended], range: ended }]),
      ...(scheduled === undefined ? [] : [{ names: [INDEX_NAMES.scheduled], range: scheduled }]),
      ...(waitingFor === undefined ? [] : [await waitingCondition(waitingFor)]),
      ...Object.entries(metadata).map(([key, value]) => ({ names: [INDEX_NAMES.metadata(key, value)] })),
    ];
  }

  /** A job that waits for its turn is shown to wait for what its whole account waits for. */
  async function waitingCondition(wanted: NonNullable<ParsedFilter['waitingFor']>): Promise<Condition> {
    if ((await laneDelays.pause()) !== undefined) {
      const stored = wanted.flatMap((reason) => {
        if (reason === 'turn') return [];
        return reason === 'publishing_paused' ? (['turn', reason] as const) : [reason];
      });
      return { names: stored.map(INDEX_NAMES.waitingFor) };
    }
    const lanes = await laneDelays.all(MAX_LOOKED_AT);
    // Too many to hold: of each job that waits for its turn, the record decides.
    if (lanes === undefined) return { names: [...new Set([...wanted, 'turn' as const])].map(INDEX_NAMES.waitingFor) };
    const also = new Set<string>();
    const delayed = new Set<string>();
    for (const { reason, waiting, admitted } of lanes) {
      const isWanted = wanted.includes(reason);
      // A cap of one mode does not hold the jobs of the other one: their records decide.
      if (!isWanted && !isCapOfMode(reason)) for (const id of waiting) delayed.add(id);
      if (isWanted) for (const id of [...waiting, ...admitted]) also.add(id);
    }
    return {
      names: wanted.map(INDEX_NAMES.waitingFor),
      also,
      except: { name: INDEX_NAMES.waitingFor('turn'), ids: delayed },
    };
  }

  async function refuseUnindexed(metadataKeys: readonly string[]): Promise<void> {
    if (metadataKeys.length === 0) return;
    const indexed = await redis.smembers(keys.metadataIndex);
    const problems = metadataKeys
      .filter((key) => !indexed.includes(key))
      .map((key) => ({
        path: `metadata.${key}`,
        message: `jobs are not found by this key: expected one that METADATA_INDEX of the workers names${indexed.length > 0 ? ` (${indexed.join(', ')})` : ''}`,
      }));
    if (problems.length > 0) throw new PublishError('INPUT_INVALID', { reason: 'the filter is not valid', problems });
  }

  /** How many entries a condition leaves, at most. */
  async function sizesOf(conditions: readonly Condition[], created: TimeRange): Promise<number[]> {
    const pipeline = redis.pipeline();
    for (const { names, range = created } of conditions) {
      for (const name of names) pipeline.zcount(keyOf(name), ...bounds(range));
    }
    const counts = ((await pipeline.exec()) ?? []).map(([error, count]) => {
      if (error) throw error;
      return Number(count);
    });
    return conditions.map(({ names, also }) =>
      counts.splice(0, names.length).reduce((sum, count) => sum + count, also?.size ?? 0),
    );
  }

  async function meetingAll(
    page: readonly Position[],
    conditions: readonly Condition[],
    created: TimeRange,
  ): Promise<Position[]> {
    const scores = await scoresOf(
      conditions.flatMap(({ names }) => names),
      page.map(({ id }) => id),
    );
    const meets = (index: number, id: string): boolean => {
      let first = 0;
      return conditions.every(({ names, range, also, except }) => {
        const own = scores.slice(first, first + names.length).map((each) => each[index]);
        first += names.length;
        const isIn = (score: number | undefined, at: number): boolean =>
          score !== undefined && isWithin(score, range ?? EVER) && !(except?.name === names[at] && except?.ids.has(id));
        return own.some(isIn) || also?.has(id) === true;
      });
    };
    return page.filter(({ id, createdAt }, index) => isWithin(createdAt, created) && meets(index, id));
  }

  /** The one job that some conditions can mean. */
  async function findOne({ idempotencyKey, publishId, postId }: JobQuery): Promise<string | null | undefined> {
    if (idempotencyKey !== undefined) return await redis.get(keys.idempotency(sha256Hex(idempotencyKey)));
    if (publishId !== undefined) return await redis.get(keys.publishId(publishId));
    return postId === undefined ? undefined : await redis.get(keys.postId(postId));
  }

  async function search(query: JobQuery, signal: AbortSignal | undefined, readMany: ReadFound): Promise<FoundJobs> {
    const one = await findOne(query);
    if (one !== undefined) {
      return { found: one === null ? [] : wantedOf(await readMany([one]), query), nextCursor: null };
    }
    const { order, limit } = query;
    const isOldest = order === 'oldest';
    const created = timeRange(query.createdFrom, query.createdBefore) ?? EVER;
    const conditions = await conditionsOf(query);
    const chosen = await choose(conditions, created);
    const others = conditions.filter((condition) => condition !== chosen || condition.except !== undefined);
    const nextPage = await walkOf(chosen, created, isOldest);
    const found: FoundJob[] = [];
    let after = parseCursor(query.cursor);
    let read = 0;
    for (let lookedAt = 0; lookedAt < MAX_LOOKED_AT; lookedAt += PAGE) {
      signal?.throwIfAborted();
      const page = await nextPage(after);
      const candidates = await meetingAll(page, others, created);
      while (candidates.length > 0) {
        signal?.throwIfAborted();
        const some = candidates.splice(0, Math.min(READ_AT_ONCE, limit - found.length));
        found.push(...wantedOf(await readMany(some.map(({ id }) => id)), query));
        const last = some.at(-1);
        read += some.length;
        if ((found.length === limit || read >= MAX_READ) && last !== undefined)
          return { found, nextCursor: cursorAt(last, found, query) };
      }
      after = page.at(-1);
      if (page.length < PAGE || after === undefined) return { found, nextCursor: null };
    }
    return { found, nextCursor: after === undefined ? null : cursorAt(after, found, query) };
  }

  /** The condition with the fewest entries, which is walked. One in the order of another time has to be sorted first. */
  async function choose(conditions: readonly Condition[], created: TimeRange): Promise<Condition> {
    const all = [{ names: [''] }, ...conditions];
    const sizes = await sizesOf(all, created);
    const sized = all.map((condition, index) => ({ condition, size: sizes[index] ?? 0 }));
    const possible = sized.filter(({ condition, size }) => condition.range === undefined || size <= MAX_LOOKED_AT);
    return possible.reduce((best, each) => (each.size <= best.size ? each : best)).condition;
  }

  return {
    /** A page of jobs. @param signal stops the search, which rejects with its reason @param read how jobs are read */
    async search(query: JobQuery, signal?: AbortSignal, read: ReadFound = readFound): Promise<FoundJobs> {
      const [page, builtAt] = await Promise.all([search(query, signal, read), redis.hget(keys.indexBuild, 'builtAt')]);
      if (builtAt !== null || !needsNewIndex(query)) return page;
      return (await redis.zcard(keys.allJobs)) === 0 ? page : { ...page, indexing: true };
    },
  };
}

/** Of an id, the end that a cursor leaves out. */
const HIDDEN_CHARS = 8;
const LAST_CHAR = '\uffff';

/**
 * The cursor of the page that begins after a job. One that was not found may be of an account that the caller must not
 * know: of its id stands only the beginning, which is the place just before it.
 */
function cursorAt(last: Position, found: readonly FoundJob[], { order, cursor }: JobQuery): string {
  if (found.at(-1)?.record.id === last.id) return formatCursor(last);
  const start = last.id.slice(0, Math.max(1, last.id.length / 2, last.id.length - HIDDEN_CHARS));
  const before = formatCursor({ ...last, id: order === 'oldest' ? start : `${start}${LAST_CHAR}` });
  // So many jobs of one instant have this beginning that there would be no end of them.
  return before === cursor ? formatCursor(last) : before;
}

function wantedOf(found: readonly (FoundJob | undefined)[], filter: ParsedFilter): FoundJob[] {
  return found.flatMap((each) => (each !== undefined && matchesFilter(each.job, filter) ? [each] : []));
}

/** Whether a filter needs more than the indexes that all versions keep. */
function needsNewIndex({ code, waitingFor, media, metadata, postId, ...query }: JobQuery): boolean {
  const times = [query.endedFrom, query.endedBefore, query.scheduledFrom, query.scheduledBefore];
  return [code, waitingFor, media, metadata, postId, ...times].some((each) => each !== undefined);
}
