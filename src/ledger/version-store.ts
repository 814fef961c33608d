import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type FoundLedger, LEDGER_HEARTBEAT_MS, type LedgerVersion, leastCount } from '../core/ledger-version.ts';
import { decodeEvent } from '../core/publish-event.ts';
import { type Confirmation, NO_CONFIRMATION } from '../redis/confirmation.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareNamedScript, type RedisClient, SERVER_TIME } from '../redis/lua-script.ts';

/** A process found this ledger older than what it saw last. */
export interface RestoreNotice {
  readonly seen: LedgerVersion;
  readonly found: LedgerVersion | undefined;
  /** Whether it holds for all workers: not for those of another ledger, to which one process was pointed by mistake. */
  readonly everybody: boolean;
}

export interface FoundVersion extends FoundLedger {
  readonly notices: readonly RestoreNotice[];
  /** The last event before the latest notice was added. */
  readonly doubtedAfter: string | undefined;
}

/**
 * Counts a heartbeat if it is time, or begins a version with `newId`. A clock that was set back lets the next heartbeat
 * come at once. A ledger that is older than the caller knows it gets none: so its own last heartbeat stays, to be told,
 * and none hides what is missing. A caller without `knownId` knows nothing of it.
 * Answers the version's fields, the oldest job with its time, and the oldest event.
 */
const LOOK_SCRIPT = `${SERVER_TIME}
local id, seenAt, count = unpack(redis.call('HMGET', key.version, 'id', 'at', 'count'))
local now = serverTime()
local at = tonumber(seenAt or 0)
local begins = not id and arg.newId
local isKnown = id and (not arg.knownId or (id == arg.knownId and tonumber(count or 0) >= arg.leastCount))
if begins then redis.call('HSET', key.version, 'id', arg.newId) end
if begins or (isKnown and (now < at or now - at >= arg.heartbeatMs)) then
  redis.call('HINCRBY', key.version, 'count', 1)
  redis.call('HSET', key.version, 'at', string.format('%.0f', now))
end
return {
  redis.call('HGETALL', key.version),
  redis.call('ZRANGE', key.allJobs, 0, 0, 'WITHSCORES'),
  redis.call('XRANGE', key.events, '-', '+', 'COUNT', 1)
}
`;

/**
 * Adds a notice, unless the version changed since it was found: a person may have accepted the ledger meanwhile. What
 * was seen later replaces what was seen before.
 */
const NOTICE_SCRIPT = `
local id, count, known = unpack(redis.call('HMGET', key.version, 'id', 'count', arg.field))
if (id or '') ~= arg.foundId or (count or '') ~= arg.foundCount then return 0 end
if known and cjson.decode(known).seen.count >= arg.seenCount then return 0 end
local last = redis.call('XREVRANGE', key.events, '+', '-', 'COUNT', 1)[1]
redis.call('HSET', key.version, arg.field, arg.notice, 'doubtedAfter', last and last[1] or '0-0')
return 1
`;

const NOTICE_FIELD = 'doubt:';
/** Far more than people ever accept. */
const MAX_ACCEPTED = 20;
const EVENTS_BATCH = 1_000;

export type LedgerVersionStore = ReturnType<typeof createLedgerVersionStore>;

interface VersionStoreParts {
  readonly redis: RedisClient;
  readonly keys: Keys;
  /** Proves that a heartbeat survives a failover; nothing is proven by default. */
  readonly confirmation?: Confirmation;
}

/** The version by which workers tell that Redis was set back to an older state. */
export function createLedgerVersionStore({ redis, keys, confirmation = NO_CONFIRMATION }: VersionStoreParts) {
  const runLook = prepareNamedScript(redis, LOOK_SCRIPT);
  const runNotice = prepareNamedScript(redis, NOTICE_SCRIPT);

  async function look(newId: string | undefined, last?: LedgerVersion): Promise<FoundVersion> {
    const known = last === undefined ? {} : { knownId: last.id, leastCount: leastCount(last) };
    const answer = await runLook(
      { version: keys.ledgerVersion, allJobs: keys.allJobs, events: keys.events },
      { heartbeatMs: LEDGER_HEARTBEAT_MS, newId, ...known },
    );
    const [fields, oldestJob, oldestEvent] = Array.isArray(answer) ? answer : [];
    return parseVersion(fields, oldestJob, oldestEvent);
  }

  return {
    /** Looks at the version, which counts a heartbeat if it is time and the ledger is no older than `last`. */
    look: async (last?: LedgerVersion): Promise<FoundVersion> => await look(undefined, last),

    /** Begins a version where there is none. */
    begin: async (): Promise<FoundVersion> => await look(randomUUID()),

    /** Whether a failover would keep what was seen; a master that was cut off counts on, and nobody will know of it. */
    async isLasting({ id, count }: LedgerVersion): Promise<boolean> {
      const key = keys.ledgerVersion;
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

    /** Reads the version and changes nothing. */
    async read(): Promise<FoundVersion> {
      const [fields, oldestJob, oldestEvent] = await Promise.all([
        redis.hgetall(keys.ledgerVersion),
        redis.zrange(keys.allJobs, '0', '0', 'WITHSCORES'),
        redis.xrange(keys.events, '-', '+', 'COUNT', 1),
      ]);
      return parseVersion(Object.entries(fields).flat(), oldestJob, oldestEvent);
    },

    /** Tells other processes, and the person who accepts the ledger. */
    async addNotice(seen: LedgerVersion, found: LedgerVersion | undefined): Promise<void> {
      const notice: RestoreNotice = { seen, found, everybody: found === undefined || found.id === seen.id };
      await runNotice(
        { version: keys.ledgerVersion, events: keys.events },
        {
          field: `${NOTICE_FIELD}${seen.id}`,
          notice: JSON.stringify(notice),
          seenCount: seen.count,
          foundId: found?.id ?? '',
          foundCount: String(found?.count ?? ''),
        },
      );
    },

    /** Jobs that were enqueued since the notice was added, and so are not of the backup, whatever clocks say. */
    async enqueuedSince({ doubtedAfter }: FoundVersion): Promise<ReadonlySet<string>> {
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
    async accept({ version, notices, acceptedIds }: FoundVersion): Promise<void> {
      const id = version?.id ?? randomUUID();
      const count = Math.max(version?.count ?? 0, ...notices.map(({ seen }) => seen.count)) + 1;
      const others = notices.map(({ seen }) => seen.id).filter((seenId) => seenId !== id);
      const accepted = [...new Set([...acceptedIds, ...others])].slice(-MAX_ACCEPTED);
      const at = version?.at ?? Date.now();
      await redis.hset(keys.ledgerVersion, { id, count, at, accepted: accepted.join(' ') });
      const settled = notices.map(({ seen }) => `${NOTICE_FIELD}${seen.id}`);
      await redis.hdel(keys.ledgerVersion, 'doubtedAfter', ...settled);
    },
  };
}

/** How a version is written down, in Redis and in a file. */
export const versionSchema = z.object({ id: z.string(), count: z.number(), at: z.number() });

const noticeSchema = z.object({ seen: versionSchema, found: versionSchema.optional(), everybody: z.boolean() });

function parseVersion(flatFields: unknown, oldestJob: unknown, oldestEvent: unknown): FoundVersion {
  const flat = Array.isArray(flatFields) ? flatFields.map(String) : [];
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(flat[i] ?? '', flat[i + 1] ?? '');
  const id = fields.get('id');
  return {
    version: id === undefined ? undefined : { id, count: Number(fields.get('count')), at: Number(fields.get('at')) },
    holdsJobsSince: holdsJobsSince(oldestJob, oldestEvent),
    acceptedIds: fields.get('accepted')?.split(' ') ?? [],
    notices: [...fields]
      .filter(([field]) => field.startsWith(NOTICE_FIELD))
      .map(([, json]) => {
        const { found, ...notice } = noticeSchema.parse(JSON.parse(json));
        return { ...notice, found };
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
