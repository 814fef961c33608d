import { z } from 'zod';
import { isErrorCode } from '../core/error-table.ts';
import {
  MAX_OPERATION_JOBS,
  OPERATION_WAYS,
  type Operation,
  type OperationRefusal,
  type OperationWay,
  type ParsedOperation,
  parseOperation,
} from '../core/operation.ts';
import type { Clock } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareNamedScript, type RedisClient } from '../redis/lua-script.ts';
import { createProcessLease, type ProcessLease } from '../redis/process-lease.ts';

/** Operations that are kept, the newest. */
const MAX_KEPT = 200;
/** Operations that may be unfinished at a time. */
const MAX_OPEN = 20;
/** Of one who is named, so that the others have places left. */
const MAX_OPEN_OF_ONE = 10;

/** Makes an operation, unless its id is taken, and forgets the oldest ended ones. */
const CREATE_SCRIPT = `
if redis.call('EXISTS', key.operation .. arg.id) == 1 then return 'exists' end
if redis.call('ZCARD', key.open) >= arg.maxOpen then return 'all' end
local own = 0
for _, id in ipairs(redis.call('ZRANGE', key.open, 0, -1)) do
  if arg.by and redis.call('HGET', key.operation .. id, 'by') == arg.by then own = own + 1 end
end
if own >= arg.maxOpenOfOne then return 'own' end
redis.call('HSET', key.operation .. arg.id, 'state', 'gathering', 'cursor', '', unpack(ARGV, 2))
if arg.by then redis.call('HSET', key.operation .. arg.id, 'by', arg.by) end
redis.call('ZADD', key.all, arg.now, arg.id)
redis.call('ZADD', key.open, arg.now, arg.id)
for _, id in ipairs(redis.call('ZRANGE', key.all, 0, -(arg.maxKept + 1))) do
  if not redis.call('ZSCORE', key.open, id) then
    redis.call('DEL', key.operation .. id)
    redis.call('ZREM', key.all, id)
  end
end
return 'made'
`;

/** Adds a page of jobs, once: the place where it was read from is where the operation is. Nothing is changed before the last one. */
const GATHER_SCRIPT = `
local state, cursor = unpack(redis.call('HMGET', key.operation, 'state', 'cursor'))
if state ~= 'gathering' or cursor ~= arg.cursor then return 0 end
local count = redis.call('ZCARD', key.jobs)
for index, id in ipairs(arg.ids) do
  if count + index <= arg.maxJobs then redis.call('ZADD', key.jobs, 'NX', count + index, id) end
end
count = redis.call('ZCARD', key.jobs)
if arg.next and count < arg.maxJobs then redis.call('HSET', key.operation, 'cursor', arg.next)
else redis.call('HSET', key.operation, 'state', 'running', 'jobCount', count) end
return 1
`;

/** Notes that a job stays as it is, once. */
const SETTLE_SCRIPT = `
if redis.call('ZREM', key.jobs, arg.id) == 1 then redis.call('HINCRBY', key.operation, arg.field, 1) end
`;

/** Ends an operation: by the last job, or by a person, whatever is left. */
const END_SCRIPT = `
local state = redis.call('HGET', key.operation, 'state')
if state ~= 'running' and (state ~= 'gathering' or arg.to == 'done') then return 0 end
if arg.to == 'done' and redis.call('ZCARD', key.jobs) > 0 then return 0 end
redis.call('HSET', key.operation, 'state', arg.to, 'endedAt', arg.now)
if arg.by then redis.call('HSET', key.operation, 'abortedBy', arg.by) end
redis.call('UNLINK', key.jobs)
redis.call('ZREM', key.open, arg.id)
return 1
`;

const aboutSchema = z.object({
  request: z.unknown().transform(parseOperation),
  createdAt: z.number(),
  by: z.string().nullable(),
});

/** An operation as workers carry it out. */
export interface StoredOperation {
  readonly operation: Operation;
  readonly request: ParsedOperation;
  /** Ms since the epoch. */
  readonly createdAt: number;
  /** Where the next page of jobs is read from ('': the first); undefined once all were gathered. */
  readonly gatherFrom: string | undefined;
}

/** How the fields begin that count refused jobs; code and reason follow. */
const REFUSED = 'refused:';

/** The field that counts the jobs that went a way. */
export function wayField(way: OperationWay): string {
  return `way:${way}`;
}

export type OperationStore = ReturnType<typeof createOperationStore>;

/**
 * Operations on many jobs: what is to be done, to which jobs it still has to be done, and what was done. The ledger takes a
 * job out of them in the step that changes its record, so nothing is done twice, whoever dies or runs beside.
 */
export function createOperationStore({
  redis,
  keys,
  clock,
}: {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
}) {
  const runCreate = prepareNamedScript(redis, CREATE_SCRIPT);
  const runGather = prepareNamedScript(redis, GATHER_SCRIPT);
  const runSettle = prepareNamedScript(redis, SETTLE_SCRIPT);
  const runEnd = prepareNamedScript(redis, END_SCRIPT);
  const keysOf = (id: string) => ({ operation: keys.operation(id), jobs: keys.operationJobs(id) });

  async function read(id: string): Promise<StoredOperation | undefined> {
    const hash = await redis.hgetall(keys.operation(id));
    return hash.about === undefined ? undefined : decode(id, hash);
  }

  async function end(id: string, to: 'done' | 'aborted', by?: string): Promise<boolean> {
    const argument = { id, to, by, now: String(clock.now()) };
    return (await runEnd({ ...keysOf(id), open: keys.openOperations }, argument)) === 1;
  }

  return {
    read,

    /** @returns whether it was made; if not, there is one of this id @throws PublishError `OPERATION_LIMIT` while too many are unfinished, in all or of one */
    async create(id: string, request: ParsedOperation, by: string | undefined): Promise<boolean> {
      const createdAt = clock.now();
      const about = JSON.stringify({ request, createdAt, by: by ?? null } satisfies z.input<typeof aboutSchema>);
      const made = await runCreate(
        { operation: keys.operation(''), all: keys.operations, open: keys.openOperations },
        { id, by, now: String(createdAt), maxOpen: MAX_OPEN, maxOpenOfOne: MAX_OPEN_OF_ONE, maxKept: MAX_KEPT },
        ['about', about],
      );
      if (made === 'made' || made === 'exists') return made === 'made';
      const reason =
        made === 'own'
          ? `${MAX_OPEN_OF_ONE} operations of ${by} are unfinished`
          : `${MAX_OPEN} operations are unfinished`;
      throw new PublishError('OPERATION_LIMIT', { reason });
    },

    /** Newest first. */
    async list(): Promise<Operation[]> {
      const ids = await redis.zrange(keys.operations, '0', '-1', 'REV');
      const found = await Promise.all(ids.map(read));
      return found.flatMap((each) => (each === undefined ? [] : [each.operation]));
    },

    /** Ids of those that have not ended, oldest first. */
    open: async (): Promise<string[]> => await redis.zrange(keys.openOperations, '0', '-1'),

    /** The right to carry an operation out. */
    lease: (id: string, owner: string): ProcessLease => createProcessLease(redis, keys.operationLease(id), owner),

    /** Adds a page of jobs that was read from `from`. @param next where the next page is; null on the last one */
    async gather(id: string, from: string, ids: readonly string[], next: string | null): Promise<void> {
      await runGather(keysOf(id), { ids, cursor: from, next: next ?? undefined, maxJobs: MAX_OPERATION_JOBS });
    },

    /** Jobs that come next. */
    async nextJobs(id: string, count: number): Promise<string[]> {
      return await redis.zrange(keys.operationJobs(id), '0', String(count - 1));
    },

    /** Notes that a job was refused, or is as it should be. */
    async settle(id: string, jobId: string, outcome: OperationRefusal | 'unchanged'): Promise<void> {
      const field = outcome === 'unchanged' ? wayField(outcome) : `${REFUSED}${outcome.code} ${outcome.reason}`;
      await runSettle(keysOf(id), { id: jobId, field });
    },

    /** Ends an operation that has no jobs left. */
    finish: async (id: string): Promise<boolean> => await end(id, 'done'),

    /** Ends an operation; the jobs that are left stay as they are. */
    abort: async (id: string, by: string | undefined): Promise<boolean> => await end(id, 'aborted', by ?? ''),
  };
}

function decode(id: string, hash: Readonly<Record<string, string>>): StoredOperation {
  const { request, createdAt, by } = aboutSchema.parse(JSON.parse(hash.about ?? ''));
  const totals = totalsIn(hash);
  const counts = [...Object.values(totals.ways), ...totals.refused.map(({ count }) => count)];
  const operation: Operation = {
    ...{ id, kind: request.kind, state: hash.state === 'done' || hash.state === 'aborted' ? hash.state : 'running' },
    ...{ filter: request.filter, scheduledAt: request.scheduledAt ?? null, shiftMs: request.shiftMs ?? null },
    ...{ ratePerSecond: request.ratePerSecond, createdAt: new Date(createdAt).toISOString(), by },
    endedAt: hash.endedAt === undefined ? null : new Date(Number(hash.endedAt)).toISOString(),
    abortedBy: hash.abortedBy || null,
    jobCount: hash.jobCount === undefined ? null : Number(hash.jobCount),
    doneCount: counts.reduce((sum, count) => sum + count, 0),
    totals,
  };
  return { operation, request, createdAt, gatherFrom: hash.state === 'gathering' ? hash.cursor : undefined };
}

function totalsIn(hash: Readonly<Record<string, string>>): Operation['totals'] {
  const ways = OPERATION_WAYS.flatMap((way) => {
    const count = hash[wayField(way)];
    return count === undefined ? [] : [[way, Number(count)] as const];
  });
  const refused = Object.entries(hash).flatMap(([field, count]) => {
    if (!field.startsWith(REFUSED)) return [];
    const [code = '', ...words] = field.slice(REFUSED.length).split(' ');
    return isErrorCode(code) ? [{ code, reason: words.join(' '), count: Number(count) }] : [];
  });
  return { ways: Object.fromEntries(ways), refused: refused.sort((one, other) => other.count - one.count) };
}
