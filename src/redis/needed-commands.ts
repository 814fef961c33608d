import { createKeys } from './keys.ts';

/** How a command is tried without effect: what follows its name, with `KEY` for a throwaway key that holds a string. */
type Probe = readonly string[];

/**
 * What enqueuing, looking, waiting, cancelling and retrying sends, in our scripts and in BullMQ's. In this order: the
 * first one makes the key a string, so that most others only find it of the wrong type.
 */
const ENQUEUER_PROBES: Readonly<Record<string, Probe>> = {
  set: ['KEY', '1', 'PX', '10000'],
  get: ['KEY'],
  exists: ['KEY'],
  type: ['KEY'],
  time: [],
  incr: ['KEY'],
  persist: ['KEY'],
  pexpire: ['KEY', '10000'],
  pttl: ['KEY'],
  hset: ['KEY', 'a', '1'],
  hsetnx: ['KEY', 'a', '1'],
  hmset: ['KEY', 'a', '1'],
  hget: ['KEY', 'a'],
  hmget: ['KEY', 'a'],
  hgetall: ['KEY'],
  hexists: ['KEY', 'a'],
  hincrby: ['KEY', 'a', '1'],
  hdel: ['KEY', 'a'],
  hkeys: ['KEY'],
  hlen: ['KEY'],
  hstrlen: ['KEY', 'a'],
  lindex: ['KEY', '0'],
  llen: ['KEY'],
  lpos: ['KEY', 'a'],
  lpush: ['KEY', 'a'],
  rpush: ['KEY', 'a'],
  lpop: ['KEY'],
  lrange: ['KEY', '0', '0'],
  lrem: ['KEY', '0', 'a'],
  ltrim: ['KEY', '0', '0'],
  sadd: ['KEY', 'a'],
  srem: ['KEY', 'a'],
  scard: ['KEY'],
  smembers: ['KEY'],
  sismember: ['KEY', 'a'],
  zadd: ['KEY', '1', 'a'],
  zrem: ['KEY', 'a'],
  zcard: ['KEY'],
  zcount: ['KEY', '0', '1'],
  zscore: ['KEY', 'a'],
  zrange: ['KEY', '0', '0'],
  zrevrange: ['KEY', '0', '0'],
  zrangebyscore: ['KEY', '0', '1'],
  zrevrangebyscore: ['KEY', '1', '0'],
  zpopmin: ['KEY'],
  zremrangebyrank: ['KEY', '0', '0'],
  xadd: ['KEY', '*', 'a', '1'],
  xlen: ['KEY'],
  xrange: ['KEY', '-', '+', 'COUNT', '1'],
  xrevrange: ['KEY', '+', '-', 'COUNT', '1'],
  xtrim: ['KEY', 'MAXLEN', '0'],
  xread: ['STREAMS', 'KEY', '0'],
  unlink: ['KEY'],
  del: ['KEY'],
};

/** What running jobs, and the web server, sends beside that. */
const WORKER_PROBES: Readonly<Record<string, Probe>> = {
  ...ENQUEUER_PROBES,
  lset: ['KEY', '0', 'a'],
  rpop: ['KEY'],
  rpoplpush: ['KEY', 'KEY'],
  rename: ['KEY', 'KEY'],
  spop: ['KEY'],
  xdel: ['KEY', '1-1'],
  zrank: ['KEY', 'a'],
  zremrangebyscore: ['KEY', '0', '1'],
  getdel: ['KEY'],
};

/** Sent outside of scripts alone. */
const ENQUEUER_DIRECT = ['eval', 'evalsha', 'info', 'ping', 'multi', 'exec', 'wait'] as const;
const WORKER_DIRECT = [...ENQUEUER_DIRECT, 'bzpopmin'] as const;

/** Sent while connecting: for a database other than 0, by a cluster's client, and to show whose connection it is. */
const CONNECTING = ['select', 'cluster|slots', 'cluster|info', 'cluster|keyslot', 'client|setname'] as const;

/** The commands that a Redis user needs for a purpose. */
export interface NeededCommands {
  /** Those that can be tried in one script. */
  readonly probes: Readonly<Record<string, Probe>>;
  readonly direct: readonly string[];
}

/** For `start`, `worker`, `server` and `createWorkers`. */
export const NEEDED_BY_SERVICES: NeededCommands = { probes: WORKER_PROBES, direct: WORKER_DIRECT };
/** For programs that only enqueue, look and wait. */
export const NEEDED_BY_ENQUEUERS: NeededCommands = { probes: ENQUEUER_PROBES, direct: ENQUEUER_DIRECT };

/** What BullMQ's own clients send to add entries, and for nothing else. */
const PLAIN_ENQUEUER = [
  ...['del', 'eval', 'evalsha', 'exists', 'hget', 'hmget', 'hmset', 'hset', 'incr', 'info', 'llen', 'lpush', 'ping'],
  ...['rpush', 'sadd', 'scard', 'set', 'xadd', 'zadd', 'zrange', 'zrem', 'zrevrangebyscore', 'zscore'],
];

/** The rules of a Redis user that may do no more than is needed, as `ACL SETUSER` takes them. @internal */
export function leastAcl({ probes, direct }: NeededCommands, prefix: string): string {
  return aclOf(createKeys(prefix).pattern, [...direct, ...Object.keys(probes)]);
}

/** The same of one that only adds entries to one queue by BullMQ: it reaches no account, no job and no other queue. @internal */
export function plainEnqueuerAcl(prefix: string, queue: string): string {
  return aclOf(`${createKeys(prefix).start}${queue}:*`, PLAIN_ENQUEUER);
}

function aclOf(pattern: string, names: readonly string[]): string {
  const commands = [...CONNECTING, ...names].sort().map((name) => `+${name}`);
  return ['resetkeys', `~${pattern}`, 'resetchannels', '-@all', ...commands].join(' ');
}
