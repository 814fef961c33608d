import { z } from 'zod';
import type { TimeRange } from '../core/job-filter.ts';
import { PublishError } from '../core/publish-error.ts';
import type { Keys } from '../redis/keys.ts';
import { asArray, prepareScript, type RedisClient } from '../redis/lua-script.ts';

/** Entries of an index that are fetched and checked at a time. */
export const PAGE = 500;

/** Scores that one script reads: Redis does nothing else meanwhile (a few milliseconds). */
const SCORES_AT_ONCE = 5_000;

/** Any time. */
export const EVER: TimeRange = { from: Number.NEGATIVE_INFINITY, before: Number.POSITIVE_INFINITY };

/** A place in the order of creation: time and id, both needed where several jobs share a time. */
export interface Position {
  readonly createdAt: number;
  readonly id: string;
}

/** Part of a filter: the job is in one of these indexes. */
export interface Condition {
  readonly names: readonly string[];
  /** Where the index is in the order of another time than creation: the part of it that is wanted. */
  readonly range?: TimeRange | undefined;
  /** Jobs that meet it too, although they are in another index. */
  readonly also?: ReadonlySet<string>;
  /** Jobs that do not meet it although they are in the index of this name. */
  readonly except?: { readonly name: string; readonly ids: ReadonlySet<string> };
}

/** KEYS: indexes; ARGV: ids. Answers the score of each id in each index. */
const SCORES_LUA = `
local scores = {}
for i, index in ipairs(KEYS) do
  scores[i] = {}
  for j, id in ipairs(ARGV) do scores[i][j] = redis.call('ZSCORE', index, id) end
end
return scores
`;

/** Reads the indexes of jobs, whose names are in index-names.ts; '' is the one of all jobs. */
export function createIndexWalk({ redis, keys }: { readonly redis: RedisClient; readonly keys: Keys }) {
  const runScores = prepareScript(redis, SCORES_LUA);
  const keyOf = (name: string): string => (name === '' ? keys.allJobs : keys.jobIndex(name));

  /** The score of each id in each index. */
  async function scoresOf(names: readonly string[], ids: readonly string[]): Promise<(number | undefined)[][]> {
    if (ids.length === 0) return names.map(() => []);
    const together = Math.max(1, Math.floor(SCORES_AT_ONCE / ids.length));
    const found: (number | undefined)[][] = [];
    for (let first = 0; first < names.length; first += together) {
      const some = asArray(await runScores(names.slice(first, first + together).map(keyOf), ids));
      found.push(...some.map((scores) => asArray(scores).map((score) => (score === null ? undefined : Number(score)))));
    }
    return found;
  }

  /** Pages of what a condition finds, in the order of creation. */
  async function walkOf({ names, range, also }: Condition, created: TimeRange, isOldest: boolean) {
    const known =
      range === undefined ? [...(also ?? [])] : await redis.zrangebyscore(keyOf(names[0] ?? ''), ...bounds(range));
    const positions = await positionsOf(known);
    const order = inOrder(isOldest);
    positions.sort(order);
    const indexes = range === undefined ? names.map(keyOf) : [];
    return async (after: Position | undefined): Promise<Position[]> => {
      const isNext = (position: Position): boolean => after === undefined || order(position, after) > 0;
      const pages = await Promise.all(indexes.map((key) => readPage(key, created, isOldest, after, isNext)));
      const others = positions.filter(isNext).slice(0, PAGE);
      return [...pages, others].flat().sort(order).slice(0, PAGE);
    };
  }

  async function positionsOf(ids: readonly string[]): Promise<Position[]> {
    const positions: Position[] = [];
    for (let first = 0; first < ids.length; first += PAGE) {
      const some = ids.slice(first, first + PAGE);
      const [scores = []] = await scoresOf([''], some);
      for (const [index, id] of some.entries()) {
        const createdAt = scores[index];
        if (createdAt !== undefined) positions.push({ id, createdAt });
      }
    }
    return positions;
  }

  async function readPage(
    key: string,
    created: TimeRange,
    isOldest: boolean,
    after: Position | undefined,
    isNext: (position: Position) => boolean,
  ): Promise<Position[]> {
    const [low, high] = bounds(created);
    const entries: Position[] = [];
    for (let offset = 0; entries.length < PAGE; offset += PAGE) {
      const flat = isOldest
        ? await redis.zrangebyscore(key, after?.createdAt ?? low, high, 'WITHSCORES', 'LIMIT', offset, PAGE)
        : await redis.zrevrangebyscore(key, after?.createdAt ?? high, low, 'WITHSCORES', 'LIMIT', offset, PAGE);
      for (let i = 0; i + 1 < flat.length; i += 2) {
        const entry = { id: String(flat[i]), createdAt: Number(flat[i + 1]) };
        if (isNext(entry)) entries.push(entry);
      }
      if (flat.length < PAGE * 2) break;
    }
    return entries.slice(0, PAGE);
  }

  return { keyOf, scoresOf, walkOf };
}

/** A half-open range as Redis takes it. */
export function bounds({ from, before }: TimeRange): [string, string] {
  return [
    from === Number.NEGATIVE_INFINITY ? '-inf' : String(from),
    before === Number.POSITIVE_INFINITY ? '+inf' : `(${before}`,
  ];
}

/** Whether an instant is in a half-open range. */
export function isWithin(score: number, { from, before }: TimeRange): boolean {
  return score >= from && score < before;
}

/** Ids of one millisecond come in the order of the alphabet, as Redis sorts. */
function inOrder(isOldest: boolean): (one: Position, other: Position) => number {
  const sign = isOldest ? 1 : -1;
  return (one, other) =>
    sign * (one.createdAt - other.createdAt || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0));
}

const cursorSchema = z.tuple([z.int().nonnegative(), z.string().min(1)]);

/** A position as the cursor of the page that begins after it. */
export function formatCursor({ createdAt, id }: Position): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url');
}

/** The reverse of {@link formatCursor}. @throws PublishError `INPUT_INVALID` */
export function parseCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [createdAt, id] = cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { createdAt, id };
  } catch (cause) {
    const problems = [{ path: 'cursor', message: 'expected nextCursor of the previous page' }];
    throw new PublishError('INPUT_INVALID', { problems }, { cause });
  }
}
