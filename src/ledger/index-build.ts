import { z } from 'zod';
import { ALL_ERROR_CODES } from '../core/error-table.ts';
import { MEDIA_TYPES } from '../core/job-filter.ts';
import { WAIT_REASONS } from '../core/publish-state.ts';
import { publishIdOf } from '../core/session.ts';
import { HOUR_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareNamedScript, type RedisClient, SERVER_TIME } from '../redis/lua-script.ts';
import { INDEX_NAMES, indexPlaces } from './index-names.ts';
import { createIndexWalk, EVER, PAGE, type Position } from './index-walk.ts';
import { decodeRecord, type LedgerRecord } from './record.ts';
import { TIKTOK_ID_KEPT_MS } from './scripts.ts';

/** Raise it when jobs are found by something new. Workers of older versions leave a newer one alone. */
const INDEX_VERSION = 1;
/** When all is gone through once more, for what processes of an older version wrote while they were replaced. */
const AGAIN_AFTER_MS = HOUR_MS;
/** Pages of jobs that one call goes through. */
const PAGES_AT_ONCE = 10;
/** How often a job is looked at again that changed meanwhile. */
const MAX_LOOKS = 3;

/**
 * Publishes by which metadata jobs are found, and begins anew where that, or our version, is another than before. Where
 * there are no jobs, all are in the indexes.
 */
const WANT_LUA = `${SERVER_TIME}
local version, metadata = unpack(redis.call('HMGET', key.build, 'version', 'metadata'))
if version and tonumber(version) > arg.version then return end
if tonumber(version) == arg.version and metadata == arg.metadata then return end
redis.call('DEL', key.build, key.metadataIndex)
redis.call('HSET', key.build, 'version', arg.version, 'metadata', arg.metadata)
if #arg.keys > 0 then redis.call('SADD', key.metadataIndex, unpack(arg.keys)) end
if redis.call('ZCARD', key.allJobs) == 0 then redis.call('HSET', key.build, 'builtAt', serverTime()) end
`;

/** Puts a job where it belongs, or takes it out of where it does not, unless its record changed since it was read. */
const MEND_LUA = `
if (redis.call('HGET', key.job, 'revision') or '') ~= arg.revision then return 0 end
for _, place in ipairs(arg.places) do redis.call('ZADD', key.jobIndex .. place[1], place[2], arg.id) end
for _, pointer in ipairs(arg.pointers) do redis.call('SET', key.start .. pointer, arg.id, 'PX', ${TIKTOK_ID_KEPT_MS}) end
if arg.leaves then redis.call('ZREM', key.jobIndex .. arg.leaves, arg.id) end
return 1
`;

/** Goes on, unless another process has meanwhile, or another version has begun anew. */
const GO_ON_LUA = `${SERVER_TIME}
local version, cursor = unpack(redis.call('HMGET', key.build, 'version', 'cursor'))
if version ~= arg.version or (cursor or '') ~= arg.from then return end
if arg.to then return redis.call('HSET', key.build, 'cursor', arg.to) end
redis.call('HDEL', key.build, 'cursor')
redis.call('HSET', key.build, redis.call('HEXISTS', key.build, 'builtAt') == 1 and 'checkedAt' or 'builtAt', serverTime())
`;

/** First all jobs are put where they belong, then each index is rid of those that do not belong there. */
const INDEXES = [
  '',
  ...ALL_ERROR_CODES.map(INDEX_NAMES.code),
  ...WAIT_REASONS.map(INDEX_NAMES.waitingFor),
  ...MEDIA_TYPES.map(INDEX_NAMES.media),
  INDEX_NAMES.ended,
  INDEX_NAMES.scheduled,
];

/** Which index, and after which of its jobs. */
interface Place {
  readonly index: number;
  readonly after?: Position | undefined;
}

const placeSchema = z.object({
  index: z.number(),
  after: z.object({ createdAt: z.number(), id: z.string() }).optional(),
});

/** Brings jobs that other versions wrote into the indexes by which jobs are found; any process may go on with it. */
export function createIndexBuild({ redis, keys }: { readonly redis: RedisClient; readonly keys: Keys }) {
  const runWant = prepareNamedScript(redis, WANT_LUA);
  const runMend = prepareNamedScript(redis, MEND_LUA);
  const runGoOn = prepareNamedScript(redis, GO_ON_LUA);
  const { walkOf } = createIndexWalk({ redis, keys });

  async function readRecord(id: string): Promise<LedgerRecord | 'gone' | 'unreadable'> {
    const flat = Object.entries(await redis.hgetall(keys.job(id))).flat();
    if (flat.length === 0) return 'gone';
    try {
      return decodeRecord(id, flat);
    } catch {
      // Such as one of a newer version.
      return 'unreadable';
    }
  }

  async function mend(id: string, name: string, metadataKeys: readonly string[]): Promise<void> {
    for (let look = 1; look <= MAX_LOOKS; look += 1) {
      const record = await readRecord(id);
      if (record === 'unreadable') return;
      const places = record === 'gone' ? [] : placesOf(record, metadataKeys);
      const isAll = name === '';
      if (isAll ? record === 'gone' : places.some((place) => place.name === name)) return;
      const outcome = await runMend(
        { job: keys.job(id), jobIndex: keys.jobIndex(''), start: keys.start },
        {
          ...{ id, revision: record === 'gone' ? '' : String(record.revision) },
          places: isAll ? places.map((place) => [place.name, String(place.score)]) : [],
          pointers: isAll && record !== 'gone' ? pointersOf(record) : [],
          leaves: isAll ? undefined : name,
        },
      );
      if (outcome === 1) return;
    }
  }

  function pointersOf({ session, postIds }: LedgerRecord): string[] {
    const publishId = publishIdOf(session);
    const pointers = [...postIds.map(keys.postId), ...(publishId === undefined ? [] : [keys.publishId(publishId)])];
    return pointers.map((key) => key.slice(keys.start.length));
  }

  async function buildPage({ index, after }: Place, metadataKeys: readonly string[]): Promise<Place> {
    const name = INDEXES[index] ?? '';
    const page = await (await walkOf({ names: [name] }, EVER, true))(after);
    await Promise.all(page.map(({ id }) => mend(id, name, metadataKeys)));
    return page.length < PAGE ? { index: index + 1 } : { index, after: page.at(-1) };
  }

  return {
    /** Publishes by which keys of their metadata jobs are found. The last worker that starts decides. */
    async publishIndexes(metadataKeys: readonly string[]): Promise<void> {
      const wanted = [...metadataKeys].sort();
      await runWant(
        { build: keys.indexBuild, metadataIndex: keys.metadataIndex, allJobs: keys.allJobs },
        { version: INDEX_VERSION, metadata: wanted.join(), keys: wanted },
      );
    },

    /** Goes on with bringing jobs into the indexes; does nothing once all are. @param now by Redis's clock */
    async buildIndexes(now: number): Promise<void> {
      for (let pages = 0; pages < PAGES_AT_ONCE; pages += 1) {
        const [version, metadata, from, builtAt, checkedAt] = await redis.hmget(
          keys.indexBuild,
          ...['version', 'metadata', 'cursor', 'builtAt', 'checkedAt'],
        );
        const isDone =
          typeof checkedAt === 'string' || (typeof builtAt === 'string' && now < Number(builtAt) + AGAIN_AFTER_MS);
        if (version !== String(INDEX_VERSION) || isDone) return;
        const place: Place = from ? placeSchema.parse(JSON.parse(from)) : { index: 0 };
        const next = await buildPage(place, (metadata ?? '').split(','));
        const to = next.index < INDEXES.length ? JSON.stringify(next) : undefined;
        await runGoOn({ build: keys.indexBuild }, { version, from: from ?? '', to });
      }
    },
  };
}

function placesOf(record: LedgerRecord, metadataKeys: readonly string[]) {
  return indexPlaces(record).filter(
    ({ metadataKey }) => metadataKey === undefined || metadataKeys.includes(metadataKey),
  );
}
