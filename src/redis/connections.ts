import { once } from 'node:events';
import { connect } from 'node:net';
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import type { Logger } from 'pino';
import type { RedisLogin, RedisTarget } from '../config/redis-config.ts';
import { afterTime, withDeadline } from '../core/deadline.ts';
import type { RedisCode } from '../core/redis-code.ts';
import { SECOND_MS } from '../core/units.ts';
import { followOwn, handleAsking, hangUpOnSilence, letConnect } from './client-fixes.ts';
import { blockedSilenceMs, clusterPatience, firstWordMs, type RedisRole, roleOptions } from './client-options.ts';
import { describeTarget, explainRedisError } from './connection-error.ts';
import { joinWrites } from './joined-writes.ts';
import type { RedisClient } from './lua-script.ts';
import { reconnectDelayMs, reconnecting } from './reconnecting.ts';
import { countCalls } from './sampled-calls.ts';
import { tlsOptions } from './tls-options.ts';

const DEFAULT_PORT = 6_379;
const PATIENCE_MS = SECOND_MS / 2;

export type { RedisRole };

interface CreateRedisOptions {
  readonly log?: Logger | undefined;
}

interface ConnectRedisOptions extends CreateRedisOptions {
  /** How long the first connection may take, in ms; by default 5 seconds. */
  readonly timeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 5 * SECOND_MS;
const QUIT_TIMEOUT_MS = 2 * SECOND_MS;

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
    const explained = explainRedisError(error, target);
    const unasked = explained?.why === 'connection_lost' ? await firstWordsOf(target) : undefined;
    throw explainRedisError(unasked, target) ?? explained ?? error;
  }
}

/**
 * A client that connects at its first command. A `producer` must be made by {@link connectRedis} instead, because
 * its commands fail while it is not connected.
 */
export function createRedis(target: RedisTarget, role: RedisRole, { log }: CreateRedisOptions = {}): RedisClient {
  const { address } = describeTarget(target);
  const client = createRedisClient(target, role, (code) => {
    log?.warn({ role, address, code }, 'redis rejects writes, looking for the master');
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

/** Reconnects, so that the connection finds the current master. A cluster's client finds it without this. */
export function reconnectRedis(client: RedisClient): void {
  if (client instanceof Redis && client.status === 'ready') client.disconnect(true);
}

/** The connections that nobody has closed yet, for leak checks. @internal */
export function openRedisConnections(): readonly { readonly role: RedisRole; readonly status: string }[] {
  return [...openClients].map(([client, role]) => ({ role, status: client.status }));
}

function firstConnection(client: RedisClient, target: RedisTarget, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = afterTime(timeoutMs, () => reject(notInTime(client, target, timeoutMs)));
    const settle = (action: () => void) => {
      stop();
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

function notInTime(client: RedisClient, target: RedisTarget, timeoutMs: number): Error {
  // It answers, and the check that comes before "ready" waits: for a server that reads its data.
  const isLoading = client instanceof Redis && client.status === 'connect' && client.stream.bytesRead > 0;
  const timeout = new Error(isLoading ? 'LOADING' : `timed out after ${timeoutMs} ms`);
  return explainRedisError(timeout, target) ?? timeout;
}

function logOutages(client: RedisClient, role: RedisRole, target: RedisTarget, log: Logger | undefined): void {
  const { address } = describeTarget(target);
  let away = false;
  client.on('error', (error: Error) => {
    if (!away)
      log?.warn(
        { role, address, reason: explainRedisError(error, target)?.why ?? error.name },
        'redis connection lost',
      );
    away = true;
  });
  client.on('ready', () => {
    if (away) log?.info({ role, address }, 'redis connection restored');
    away = false;
  });
}

/**
 * The error that Redis sends before it closes a new connection, as when `maxclients` is reached. A client that writes
 * first may lose it. Undefined if there is none, or if the connection is not plain TCP.
 */
async function firstWordsOf(target: RedisTarget): Promise<Error | undefined> {
  if (target.kind !== 'url') return undefined;
  const { protocol, hostname, port } = new URL(target.url);
  if (protocol !== 'redis:') return undefined;
  const socket = connect(Number(port || DEFAULT_PORT), hostname.replace(/[[\]]/g, ''));
  const closed = new AbortController();
  socket.once('close', () => closed.abort());
  // Not `AbortSignal.timeout`, for which no process stays alive.
  const patience = { withinMs: PATIENCE_MS, reason: () => undefined, signal: closed.signal };
  try {
    const [bytes] = await withDeadline(patience, (signal) => once(socket, 'data', { signal }));
    return new Error(String(bytes).replace(/^-/, '').trim());
  } catch {
    return undefined;
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}

type DnsLookupCallback = Parameters<NonNullable<ClusterOptions['dnsLookup']>>[1];

/** A client of ioredis that is not connected yet, with all that its role and its target say. */
function createRedisClient(target: RedisTarget, role: RedisRole, onRefusal: (code: RedisCode) => void): RedisClient {
  const ofRole = roleOptions(role, target.deadPeerMs);
  const comeBack = () =>
    reconnecting({ queues: ofRole.enableOfflineQueue !== false, asksSentinels: target.kind === 'sentinel', onRefusal });
  const tls = tlsOptions(target);
  const options: RedisOptions = { lazyConnect: true, ...comeBack(), ...ofRole, ...(tls && { tls }) };
  const watch = (client: Redis): Redis => {
    countCalls(client);
    joinWrites(client);
    hangUpOnSilence(client, firstWordMs(target.deadPeerMs));
    letConnect(client);
    followOwn(client, target);
    const duplicate = client.duplicate.bind(client);
    const { lazyConnect, redisOptions } = ofCopies(target);
    client.duplicate = (override) => watch(duplicate({ ...comeBack(), ...override, ...redisOptions, lazyConnect }));
    return client;
  };
  if (target.kind === 'cluster') return watchNodes(openCluster(target, role, options), target);
  // What the query of the URL says goes first.
  if (target.kind === 'url') return watch(new Redis(target.url, { ...options, replyMapping: 'legacy' }));
  return watch(
    new Redis({
      ...options,
      ...credentials(target.login),
      replyMapping: 'legacy',
      sentinels: [...target.nodes],
      name: target.name,
      ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
      ...(target.sentinelPassword && { sentinelPassword: target.sentinelPassword }),
    }),
  );
}

function credentials({ username, password }: RedisLogin): RedisOptions {
  return { ...(username && { username }), ...(password && { password }) };
}

function openCluster(target: RedisTarget & { kind: 'cluster' }, role: RedisRole, options: RedisOptions): Cluster {
  const { lazyConnect = false, enableOfflineQueue = true, retryStrategy: _, ...redisOptions } = options;
  return new Cluster([...target.nodes], {
    ...clusterPatience(role),
    lazyConnect,
    enableOfflineQueue,
    clusterRetryStrategy: reconnectDelayMs,
    redisOptions: { ...redisOptions, ...credentials(target.login), replyMapping: 'legacy' },
    // Certificates are made out to names, so names must not be resolved before connecting.
    ...(options.tls && { dnsLookup: (address: string, callback: DnsLookupCallback) => callback(null, address) }),
  });
}

/**
 * BullMQ's workers wait for jobs on copies of their connection. A copy connects by itself: if BullMQ had to ask for it
 * and the first attempt failed, it would never look at the copy again.
 */
function ofCopies({ deadPeerMs }: RedisTarget) {
  return { lazyConnect: false, redisOptions: { socketTimeout: blockedSilenceMs(deadPeerMs) } };
}

function watchNodes(cluster: Cluster, target: RedisTarget): Cluster {
  countCalls(cluster);
  const duplicate = cluster.duplicate.bind(cluster);
  cluster.duplicate = (nodes, override) => {
    const { lazyConnect, redisOptions } = ofCopies(target);
    const merged = { ...override?.redisOptions, ...redisOptions, replyMapping: 'legacy' } as const;
    return watchNodes(duplicate(nodes, { ...override, redisOptions: merged, lazyConnect }), target);
  };
  return cluster.on('+node', (node: Redis) => {
    joinWrites(node);
    hangUpOnSilence(node, firstWordMs(target.deadPeerMs));
    handleAsking(node);
  });
}
