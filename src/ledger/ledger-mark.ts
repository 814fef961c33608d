import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { BEAT_MS, type FoundLedger, type LedgerSight, leastCount } from '../core/ledger-sight.ts';
import { type Confirmation, NO_CONFIRMATION } from '../redis/confirmation.ts';
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
  /** The last event before the latest doubt came up. */
  readonly doubtedAfter: string | undefined;
}

/**
 * Counts a beat if it is time, or begins a mark. A clock that was set back lets the next beat come at once. A ledger that
 * is older than the caller knows it gets none: so its own last beat stays, to be told, and none hides what is missing.
 *
 * KEYS[1] mark, KEYS[2] all jobs, KEYS[3] events. ARGV: ms between beats, id of a mark to begin ('' to begin none), id that
 * the caller knows ('' for any), least count.
 * Answers the mark's fields, the oldest job with its time, and the oldest event.
 */
const LOOK_SCRIPT = `${SERVER_TIME}
local seen = redis.call('HMGET', KEYS[1], 'id', 'at', 'count')
local now = serverTime()
local at = tonumber(seen[2] or 0)
local begins = not seen[1] and ARGV[2] ~= ''
local isKnown = seen[1] and (ARGV[3] == '' or (seen[1] == ARGV[3] and tonumber(seen[3] or 0) >= tonumber(ARGV[4])))
if begins then redis.call('HSET', KEYS[1], 'id', ARGV[2]) end
if begins or (isKnown and (now < at or now - at >= tonumber(ARGV[1]))) then
  redis.call('HINCRBY', KEYS[1], 'count', 1)
  redis.call('HSET', KEYS[1], 'at', string.format('%.0f', now))
end
return {
  redis.call('HGETALL', KEYS[1]),
  redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES'),
  redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)
}
`;

/**
 * Notes a doubt, unless the mark changed since it was found: a person may have accepted the ledger meanwhile. What was
 * seen later replaces what was seen before.
 *
 * KEYS[1] mark, KEYS[2] events. ARGV: id and count that were found ('' for none), field, doubt, count that was seen.
 */
const DOUBT_SCRIPT = `
local now = redis.call('HMGET', KEYS[1], 'id', 'count', ARGV[3])
if (now[1] or '') ~= ARGV[1] or (now[2] or '') ~= ARGV[2] then return 0 end
if now[3] and cjson.decode(now[3]).seen.count >= tonumber(ARGV[5]) then return 0 end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4], 'doubtedAfter', last and last[1] or '0-0')
return 1
`;

const DOUBT_FIELD = 'doubt:';
/** Far more than people ever accept. */
const MAX_ACCEPTED = 20;
/** Events of one read. */
const EVENTS_BATCH = 1_000;

export type LedgerMark = ReturnType<typeof createLedgerMark>;

interface MarkParts {
  readonly redis: RedisClient;
  readonly keys: Keys;
  /** Proves that a beat survives a failover; nothing is proven by default. */
  readonly confirmation?: Confirmation;
}

/** The mark by which workers tell that Redis was set back to an older state. */
export function createLedgerMark({ redis, keys, confirmation = NO_CONFIRMATION }: MarkParts) {
  const runLook = prepareScript(redis, LOOK_SCRIPT);
  const runDoubt = prepareScript(redis, DOUBT_SCRIPT);

  async function look(newId: string, last?: LedgerSight): Promise<FoundMark> {
    const known = last === undefined ? ['', 0] : [last.id, leastCount(last)];
    const answer = await runLook([keys.ledgerMark, keys.allJobs, keys.events], [BEAT_MS, newId, ...known]);
    const [fields, oldestJob, oldestEvent] = Array.isArray(answer) ? answer : [];
    return parseMark(fields, oldestJob, oldestEvent);
  }

  return {
    /** Looks at the mark, which counts a beat if it is time and the ledger is no older than `last`. */
    look: async (last?: LedgerSight): Promise<FoundMark> => await look('', last),

    /** Begins a mark where there is none. */
    begin: async (): Promise<FoundMark> => await look(randomUUID()),

    /** Whether a failover would keep what was seen; a master that was cut off counts on, and nobody will know of it. */
    async isLasting({ id, count }: LedgerSight): Promise<boolean> {
      const key = keys.ledgerMark;
      const facts = [
        { key, field: 'id', is: id },
        { key, field: 'count', atLeast: count },
      ];
      // Where it can't be said, the next look asks again.
      return await confirmation.confirm(facts).then(
        (outcome) => outcome === 'confirmed',
        () => false,
      );
    },

    /** Reads which ledger it is and how far, in one plain command. */
    async peek(): Promise<{ readonly id: string | undefined; readonly count: number }> {
      const [id, count] = await redis.hmget(keys.ledgerMark, 'id', 'count');
      return { id: id ?? undefined, count: Number(count ?? 0) };
    },

    /** Reads the mark and changes nothing. */
    async read(): Promise<FoundMark> {
      const [fields, oldestJob, oldestEvent] = await Promise.all([
        redis.hgetall(keys.ledgerMark),
        redis.zrange(keys.allJobs, '0', '0', 'WITHSCORES'),
        redis.xrange(keys.events, '-', '+', 'COUNT', 1),
      ]);
      return parseMark(Object.entries(fields).flat(), oldestJob, oldestEvent);
    },

    /** Tells other processes, and whoever accepts the ledger. */
    async doubt(seen: LedgerSight, found: LedgerSight | undefined): Promise<void> {
      const doubt: Doubt = { seen, found, everybody: found === undefined || found.id === seen.id };
      const args = [found?.id ?? '', found?.count ?? '', `${DOUBT_FIELD}${seen.id}`, JSON.stringify(doubt), seen.count];
      await runDoubt([keys.ledgerMark, keys.events], args);
    },

    /** Jobs that were enqueued since the doubt came up, and so are not of the backup, whatever clocks say. */
    async enqueuedSince({ doubtedAfter }: FoundMark): Promise<ReadonlySet<string>> {
      const ids = new Set<string>();
      for (let after = doubtedAfter; after !== undefined; ) {
        const entries = await redis.xrange(keys.events, `(${after}`, '+', 'COUNT', EVENTS_BATCH);
        for (const [, fields] of entries) {
          const { type, subject } = eventSchema.parse(JSON.parse(fields[fields.indexOf('event') + 1] ?? ''));
          if (type === 'publish.queued') ids.add(subject);
        }
        after = entries.length < EVENTS_BATCH ? undefined : entries.at(-1)?.[0];
      }
      return ids;
    },

    /** Lets workers go on that saw more of this ledger, or another one. */
    async accept({ sight, doubts, acceptedIds }: FoundMark): Promise<void> {
      const id = sight?.id ?? randomUUID();
      const count = Math.max(sight?.count ?? 0, ...doubts.map(({ seen }) => seen.count)) + 1;
      const others = doubts.map(({ seen }) => seen.id).filter((seenId) => seenId !== id);
      const accepted = [...new Set([...acceptedIds, ...others])].slice(-MAX_ACCEPTED);
      const at = sight?.at ?? Date.now();
      await redis.hset(keys.ledgerMark, { id, count, at, accepted: accepted.join(' ') });
      const settled = doubts.map(({ seen }) => `${DOUBT_FIELD}${seen.id}`);
      await redis.hdel(keys.ledgerMark, 'doubtedAfter', ...settled);
    },
  };
}

/** How a sight is written down, in Redis and in a file. */
export const sightSchema = z.object({ id: z.string(), count: z.number(), at: z.number() });

const doubtSchema = z.object({ seen: sightSchema, found: sightSchema.optional(), everybody: z.boolean() });

const eventSchema = z.object({ type: z.string(), subject: z.string() });

function parseMark(flatFields: unknown, oldestJob: unknown, oldestEvent: unknown): FoundMark {
  const flat = Array.isArray(flatFields) ? flatFields.map(String) : [];
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(flat[i] ?? '', flat[i + 1] ?? '');
  const id = fields.get('id');
  return {
    sight: id === undefined ? undefined : { id, count: Number(fields.get('count')), at: Number(fields.get('at')) },
    holdsJobsSince: holdsJobsSince(oldestJob, oldestEvent),
    acceptedIds: fields.get('accepted')?.split(' ') ?? [],
    doubts: [...fields]
      .filter(([field]) => field.startsWith(DOUBT_FIELD))
      .map(([, json]) => {
        const { found, ...doubt } = doubtSchema.parse(JSON.parse(json));
        return { ...doubt, found };
      }),
    doubtedAfter: fields.get('doubtedAfter'),
  };
}

/** A job is dated by the clock of who enqueued it, its events by that of Redis; but old events are dropped. */
function holdsJobsSince(oldestJob: unknown, oldestEvent: unknown): number | undefined {
  if (!Array.isArray(oldestJob) || oldestJob.length < 2) return undefined;
  const [event] = Array.isArray(oldestEvent) ? oldestEvent : [];
  return Number(Array.isArray(event) ? String(event[0]).split('-')[0] : oldestJob[1]);
}
