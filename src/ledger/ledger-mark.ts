import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { BEAT_MS, type FoundLedger, type LedgerSight } from '../core/ledger-sight.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareScript, type RedisClient } from '../redis/lua-script.ts';
import { SERVER_TIME } from './scripts.ts';

/** A process found this ledger older than its last sight. */
export interface Doubt {
  /** What it saw last. */
  readonly seen: LedgerSight;
  /** What it found; undefined where there was no mark. */
  readonly found: LedgerSight | undefined;
  /** Whether it holds for all workers: not for those of another ledger, to which one process was pointed by mistake. */
  readonly everybody: boolean;
}

/** The ledger's mark as it is now. */
export interface FoundMark extends FoundLedger {
  readonly doubts: readonly Doubt[];
}

/**
 * Counts a beat if it is time, or begins a mark. A clock that was set back lets the next beat come at once.
 *
 * KEYS[1] mark, KEYS[2] all jobs. ARGV: ms between beats, id of a mark to begin ('' to begin none).
 * Answers the mark's fields and the oldest job with its time.
 */
const LOOK_SCRIPT = `${SERVER_TIME}
local seen = redis.call('HMGET', KEYS[1], 'id', 'at')
local now = serverTime()
local at = tonumber(seen[2] or 0)
local begins = not seen[1] and ARGV[2] ~= ''
if begins then redis.call('HSET', KEYS[1], 'id', ARGV[2]) end
if begins or (seen[1] and (now < at or now - at >= tonumber(ARGV[1]))) then
  redis.call('HINCRBY', KEYS[1], 'count', 1)
  redis.call('HSET', KEYS[1], 'at', string.format('%.0f', now))
end
return { redis.call('HGETALL', KEYS[1]), redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES') }
`;

/**
 * Notes a doubt, unless the mark changed since it was found: a person may have accepted the ledger meanwhile.
 *
 * KEYS[1] mark. ARGV: id and count that were found ('' for none), field, doubt.
 */
const DOUBT_SCRIPT = `
local now = redis.call('HMGET', KEYS[1], 'id', 'count')
if (now[1] or '') == ARGV[1] and (now[2] or '') == ARGV[2] then redis.call('HSETNX', KEYS[1], ARGV[3], ARGV[4]) end
return 1
`;

const DOUBT_FIELD = 'doubt:';
/** Far more than people ever accept. */
const MAX_ACCEPTED = 20;

export type LedgerMark = ReturnType<typeof createLedgerMark>;

/** The mark by which workers tell that Redis was set back to an older state. */
export function createLedgerMark({ redis, keys }: { redis: RedisClient; keys: Keys }) {
  const runLook = prepareScript(redis, LOOK_SCRIPT);
  const runDoubt = prepareScript(redis, DOUBT_SCRIPT);

  async function look(newId = ''): Promise<FoundMark> {
    const answer = await runLook([keys.ledgerMark, keys.allJobs], [BEAT_MS, newId]);
    const [fields, oldest] = Array.isArray(answer) ? answer : [];
    return parseMark(fields, oldest);
  }

  return {
    /** Looks at the mark, which counts a beat if it is time. */
    look: async (): Promise<FoundMark> => await look(),

    /** Begins a mark where there is none. */
    begin: async (): Promise<FoundMark> => await look(randomUUID()),

    /** Reads which ledger it is and how far, in one plain command. */
    async peek(): Promise<{ readonly id: string | undefined; readonly count: number }> {
      const [id, count] = await redis.hmget(keys.ledgerMark, 'id', 'count');
      return { id: id ?? undefined, count: Number(count ?? 0) };
    },

    /** Reads the mark and changes nothing. */
    async read(): Promise<FoundMark> {
      const fields = Object.entries(await redis.hgetall(keys.ledgerMark)).flat();
      return parseMark(fields, await redis.zrange(keys.allJobs, '0', '0', 'WITHSCORES'));
    },

    /** Tells other processes, and whoever accepts the ledger. The first word stays. */
    async doubt(seen: LedgerSight, found: LedgerSight | undefined): Promise<void> {
      const doubt: Doubt = { seen, found, everybody: found === undefined || found.id === seen.id };
      const args = [found?.id ?? '', found?.count ?? '', `${DOUBT_FIELD}${seen.id}`, JSON.stringify(doubt)];
      await runDoubt([keys.ledgerMark], args);
    },

    /** Lets workers go on that saw more of this ledger, or another one. */
    async accept({ sight, doubts, acceptedIds }: FoundMark): Promise<void> {
      const id = sight?.id ?? randomUUID();
      const count = Math.max(sight?.count ?? 0, ...doubts.map(({ seen }) => seen.count)) + 1;
      const others = doubts.map(({ seen }) => seen.id).filter((seenId) => seenId !== id);
      const accepted = [...new Set([...acceptedIds, ...others])].slice(-MAX_ACCEPTED);
      const at = sight?.at ?? Date.now();
      await redis.hset(keys.ledgerMark, { id, count, at, accepted: accepted.join(' ') });
      if (doubts.length > 0) await redis.hdel(keys.ledgerMark, ...doubts.map(({ seen }) => `${DOUBT_FIELD}${seen.id}`));
    },
  };
}

/** How a sight is written down, in Redis and in a file. */
export const sightSchema = z.object({ id: z.string(), count: z.number(), at: z.number() });

const doubtSchema = z.object({ seen: sightSchema, found: sightSchema.optional(), everybody: z.boolean() });

function parseMark(flatFields: unknown, oldest: unknown): FoundMark {
  const flat = Array.isArray(flatFields) ? flatFields.map(String) : [];
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(flat[i] ?? '', flat[i + 1] ?? '');
  const id = fields.get('id');
  const oldestJobAt = Array.isArray(oldest) && oldest.length > 1 ? Number(oldest[1]) : undefined;
  return {
    sight: id === undefined ? undefined : { id, count: Number(fields.get('count')), at: Number(fields.get('at')) },
    oldestJobAt,
    acceptedIds: fields.get('accepted')?.split(' ') ?? [],
    doubts: [...fields]
      .filter(([field]) => field.startsWith(DOUBT_FIELD))
      .map(([, json]) => {
        const { found, ...doubt } = doubtSchema.parse(JSON.parse(json));
        return { ...doubt, found };
      }),
  };
}
