import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import type { RedisLogin, RedisTarget } from '../config/redis-config.ts';
import type { RedisCode } from '../core/redis-code.ts';
import { blockedSilenceMs, clusterPatience, firstWordMs, type RedisRole, roleOptions } from './client-options.ts';
import type { RedisClient } from './lua-script.ts';
import { reconnectDelayMs, reconnecting } from './reconnecting.ts';
import { tlsOptions } from './tls-options.ts';

type DnsLookupCallback = Parameters<NonNullable<ClusterOptions['dnsLookup']>>[1];

/** A client of ioredis that is not connected yet, with all that its role and its target say. */
export function createRedisClient(
  target: RedisTarget,
  role: RedisRole,
  onRefusal: (code: RedisCode) => void,
): RedisClient {
  const ofRole = roleOptions(role, target.deadPeerMs);
  const comeBack = () =>
    reconnecting({ queues: ofRole.enableOfflineQueue !== false, asksSentinels: target.kind === 'sentinel', onRefusal });
  const tls = tlsOptions(target);
  const options: RedisOptions = { lazyConnect: true, ...comeBack(), ...ofRole, ...(tls && { tls }) };
  const watch = (client: Redis): Redis => {
    hangUpOnSilence(client, firstWordMs(target.deadPeerMs));
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
  const duplicate = cluster.duplicate.bind(cluster);
  cluster.duplicate = (nodes, override) => {
    const { lazyConnect, redisOptions } = ofCopies(target);
    const merged = { ...override?.redisOptions, ...redisOptions, replyMapping: 'legacy' } as const;
    return watchNodes(duplicate(nodes, { ...override, redisOptions: merged, lazyConnect }), target);
  };
  return cluster.on('+node', (node: Redis) => {
    hangUpOnSilence(node, firstWordMs(target.deadPeerMs));
    handleAsking(node);
  });
}

/** A cluster's client sends ASKING before a command and looks at the command's answer alone: unhandled, it ends the process. */
function handleAsking(node: Redis): void {
  const asking = node.asking.bind(node);
  node.asking = () => {
    const asked = asking();
    asked.catch(() => undefined);
    return asked;
  };
}

/** A frozen server's system still accepts connections for it: such a one is left soon, since another may serve by now. */
function hangUpOnSilence(client: Redis, withinMs: number): void {
  client.on('connect', () => {
    const { stream } = client;
    const hangUp = () =>
      stream.destroy(new Error('Socket timeout. The server accepted the connection but does not respond.'));
    const timer = setTimeout(hangUp, withinMs);
    stream.once('data', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
  });
}
