import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { BEAT_MS, type FoundLedger, type LedgerSight, leastCount } from '../core/ledger-sight.ts';
import { decodeEvent } from '../core/publish-event.ts';
import { type Confirmation, NO_CONFIRMATION } from '../redis/confirmation.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareNamedScript, type RedisClient } from '../redis/lua-script.ts';
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
 * Counts a beat if it is time, or begins a mark with `newId`. A clock that was set back lets the next beat come at once. A
 * ledger that is older than the caller knows it gets none: so its own last beat stays, to be told, and none hides what is
 * missing. A caller without `knownId` knows nothing of it.
 * Answers the mark's fields, the oldest job with its time, and the oldest event.
 */
const LOOK_SCRIPT = `${SERVER_TIME}
local id, seenAt, count = unpack(redis.call('HMGET', key.mark, 'id', 'at', 'count'))
local now = serverTime()
local at = tonumber(seenAt or 0)
local begins = not id and arg.newId
local isKnown = id and (not arg.knownId or (id == arg.knownId and tonumber(count or 0) >= arg.leastCount))
if begins then redis.call('HSET', key.mark, 'id', arg.newId) end
if begins or (isKnown and (now < at or now - at >= arg.beatMs)) then
  redis.call('HINCRBY', key.mark, 'count', 1)
  redis.call('HSET', key.mark, 'at', string.format('%.0f', now))
end
return {
  redis.call('HGETALL', key.mark),
  redis.call('ZRANGE', key.allJobs, 0, 0, 'WITHSCORES'),
  redis.call('XRANGE', key.events, '-', '+', 'COUNT', 1)
}
`;

/**
 * Notes a doubt, unless the mark changed since it was found: a person may have accepted the ledger meanwhile. What was
 * seen later replaces what was seen before.
 */
const DOUBT_SCRIPT = `
local id, count, known = unpack(redis.call('HMGET', key.mark, 'id', 'count', arg.field))
if (id or '') ~= arg.foundId or (count or '') ~= arg.foundCount then return 0 end
if known and cjson.decode(known).seen.count >= arg.seenCount then return 0 end
local last = redis.call('XREVRANGE', key.events, '+', '-', 'COUNT', 1)[1]
redis.call('HSET', key.mark, arg.field, arg.doubt, 'doubtedAfter', last and last[1] or '0-0')
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
  const runLook = prepareNamedScript(redis, LOOK_SCRIPT);
  const runDoubt = prepareNamedScript(redis, DOUBT_SCRIPT);

  async function look(newId: string | undefined, last?: LedgerSight): Promise<FoundMark> {
    const known = last === undefined ? {} : { knownId: last.id, leastCount: leastCount(last) };
    const answer = await runLook(
      { mark: keys.ledgerMark, allJobs: keys.allJobs, events: keys.events },
      { beatMs: BEAT_MS, newId, ...known },
    );
    const [fields, oldestJob, oldestEvent] = Array.isArray(answer) ? answer : [];
    return parseMark(fields, oldestJob, oldestEvent);
  }

  return {
    /** Looks at the mark, which counts a beat if it is time and the ledger is no older than `last`. */
    look: async (last?: LedgerSight): Promise<FoundMark> => await look(undefined, last),

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
      await runDoubt(
        { mark: keys.ledgerMark, events: keys.events },
        {
          field: `${DOUBT_FIELD}${seen.id}`,
          doubt: JSON.stringify(doubt),
          seenCount: seen.count,
          foundId: found?.id ?? '',
          foundCount: String(found?.count ?? ''),
        },
      );
    },

    /** Jobs that were enqueued since the doubt came up, and so are not of the backup, whatever clocks say. */
    async enqueuedSince({ doubtedAfter }: FoundMark): Promise<ReadonlySet<string>> {
      const ids = new Set<string>();
      for (let after = doubtedAfter; after !== undefined; ) {
        const entries = await redis.xrange(keys.events, `(${after}`, '+', 'COUNT', EVENTS_BATCH);
        for (const [, fields] of entries) {
          const event = decodeEvent(fields);
          if (event?.type === 'publish.queued') ids.add(event.subject);
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
