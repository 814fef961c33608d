import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import type { Logger } from 'pino';
import type { HostAndPort, RedisTarget } from '../config/redis-config.ts';
import { SECOND_MS } from '../core/units.ts';
import { describeTarget, explainRedisError } from './connection-error.ts';
import type { RedisClient } from './lua-script.ts';

/**
 * What a connection is for, which decides what its calls do while Redis is away:
 *
 * - `producer`: they fail at once, so that people and web requests are told
 * - `ledger`: they wait for about ten seconds, so that a worker survives a failover, and then fail
 * - `worker`: they wait for as long as it takes; BullMQ's workers require that
 * - `blocking`: as `worker`, for commands that block the whole connection, such as `XREAD BLOCK`
 * - `confirmation`: they fail at once and are never sent again: a wait that is repeated elsewhere proves nothing
 * - `sentinel`: a sentinel is asked, which has a second to answer
 * - `probe`: one attempt only
 */
export type RedisRole = 'producer' | 'worker' | 'blocking' | 'ledger' | 'confirmation' | 'sentinel' | 'probe';

interface CreateRedisOptions {
  readonly log?: Logger | undefined;
}

interface ConnectRedisOptions extends CreateRedisOptions {
  /** How long the first connection may take, in ms; 5 seconds unless told. */
  readonly timeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 5 * SECOND_MS;
const QUIT_TIMEOUT_MS = 2 * SECOND_MS;
/** Without a reply for this long, a connection is taken for dead although nobody closed it. Not for blocking commands. */
const SILENCE_TIMEOUT_MS = 15 * SECOND_MS;
const LONGEST_RECONNECT_DELAY_MS = 2 * SECOND_MS;

const ROLE_OPTIONS: Record<RedisRole, RedisOptions> = {
  producer: { enableOfflineQueue: false, maxRetriesPerRequest: 1, socketTimeout: SILENCE_TIMEOUT_MS },
  ledger: { maxRetriesPerRequest: 10, socketTimeout: SILENCE_TIMEOUT_MS },
  worker: { maxRetriesPerRequest: null },
  blocking: { maxRetriesPerRequest: null },
  confirmation: {
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: SECOND_MS,
    reconnectOnError: (error) => (isFailover(error) ? 1 : false),
  },
  sentinel: {
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    connectTimeout: SECOND_MS,
    commandTimeout: SECOND_MS,
  },
  probe: {
    enableOfflineQueue: false,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    reconnectOnError: () => false,
    retryStrategy: () => null,
    connectTimeout: SECOND_MS,
    commandTimeout: SECOND_MS,
  },
};

type DnsLookupCallback = Parameters<NonNullable<ClusterOptions['dnsLookup']>>[1];

const openClients = new Map<RedisClient, RedisRole>();

/**
 * Connects to Redis and waits until it is ready for commands.
 *
 * @throws RedisUnavailableError that says what is wrong and which setting to look at
 */
export async function connectRedis(
  target: RedisTarget,
  role: RedisRole,
  options: ConnectRedisOptions = {},
): Promise<RedisClient> {
  const client = createRedis(target, role, options);
  try {
    await firstConnection(client, target, options.timeoutMs ?? CONNECT_TIMEOUT_MS);
    return client;
  } catch (error) {
    await closeRedis(client);
    throw explainRedisError(error, target) ?? error;
  }
}

/**
 * A client that connects at its first command. A `producer` must be made by {@link connectRedis} instead, because
 * its commands fail while it is not connected.
 */
export function createRedis(target: RedisTarget, role: RedisRole, { log }: CreateRedisOptions = {}): RedisClient {
  const client = openClient(target, {
    ...{ lazyConnect: true, retryStrategy: reconnectDelayMs, reconnectOnError: afterFailover },
    ...ROLE_OPTIONS[role],
  });
  openClients.set(client, role);
  client.on('end', () => openClients.delete(client));
  logOutages(client, role, target, log);
  return client;
}

/** Ends a connection after the commands it has sent; safe to call in any state and twice. */
export async function closeRedis(client: RedisClient): Promise<void> {
  const role = openClients.get(client);
  openClients.delete(client);
  // A blocking command would make QUIT wait for its end.
  if (client.status === 'ready' && role !== 'blocking') {
    const timer = setTimeout(() => client.disconnect(), QUIT_TIMEOUT_MS);
    await client.quit().catch(() => undefined);
    clearTimeout(timer);
  }
  client.disconnect();
}

/** The connections that nobody has closed yet, for leak checks. */
export function openRedisConnections(): readonly { readonly role: RedisRole; readonly status: string }[] {
  return [...openClients].map(([client, role]) => ({ role, status: client.status }));
}

function openClient(target: RedisTarget, options: RedisOptions): RedisClient {
  if (target.kind === 'url') return new Redis(target.url, { ...options, replyMapping: 'legacy' });
  const { username, password, tls } = target.login;
  const login = { ...(username && { username }), ...(password && { password }), ...(tls && { tls: {} }) };
  if (target.kind === 'cluster') return openCluster(target.nodes, { ...options, ...login });
  return new Redis({
    ...options,
    ...login,
    replyMapping: 'legacy',
    sentinels: [...target.nodes],
    name: target.name,
    enableTLSForSentinelMode: tls,
    ...(target.sentinelPassword && { sentinelPassword: target.sentinelPassword }),
  });
}

function openCluster(nodes: readonly HostAndPort[], options: RedisOptions): Cluster {
  const { lazyConnect = false, enableOfflineQueue = true, retryStrategy: _, ...redisOptions } = options;
  return new Cluster([...nodes], {
    lazyConnect,
    enableOfflineQueue,
    clusterRetryStrategy: reconnectDelayMs,
    redisOptions: { ...redisOptions, replyMapping: 'legacy' },
    // Certificates are made out to names, so names must not be resolved before connecting.
    ...(options.tls && { dnsLookup: (address: string, callback: DnsLookupCallback) => callback(null, address) }),
  });
}

function firstConnection(client: RedisClient, target: RedisTarget, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(notInTime(target, timeoutMs)), timeoutMs);
    const settle = (action: () => void) => {
      clearTimeout(timer);
      client.off('error', onError);
      action();
    };
    // The first error event holds the reason; the rejection of connect() only says that the connection is closed.
    const onError = (error: Error) => settle(() => reject(error));
    client.on('error', onError);
    client.connect().then(
      () => settle(resolve),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}

function notInTime(target: RedisTarget, timeoutMs: number): Error {
  const timeout = new Error(`timed out after ${timeoutMs} ms`);
  return explainRedisError(timeout, target) ?? timeout;
}

/** 50 ms, doubling up to 2 s, for ever. */
function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** (attempt - 1), LONGEST_RECONNECT_DELAY_MS);
}

/** After a failover the old master refuses writes: reconnect, which finds the new one, and send the command again. */
function afterFailover(error: Error): 2 | false {
  return isFailover(error) ? 2 : false;
}

function isFailover(error: Error): boolean {
  return error.message.startsWith('READONLY');
}

function logOutages(client: RedisClient, role: RedisRole, target: RedisTarget, log: Logger | undefined): void {
  const { address } = describeTarget(target);
  let away = false;
  client.on('error', (error: Error) => {
    if (!away) log?.warn({ role, address, reason: explainRedisError(error, target)?.why ?? error.name }, 'redis away');
    away = true;
  });
  client.on('ready', () => {
    if (away) log?.info({ role, address }, 'redis back');
    away = false;
  });
}
