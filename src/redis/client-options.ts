import type { RedisOptions } from 'ioredis';
import { SECOND_MS } from '../core/units.ts';
import { isServedElsewhere } from './reconnecting.ts';

/**
 * What a connection is for, which decides what its calls do while Redis is away:
 *
 * - `producer`: they fail at once, so that people and web requests are told
 * - `ledger`: they wait for about ten seconds, so that a worker survives a failover, and then fail
 * - `worker`: they wait for as long as it takes; BullMQ's workers require that, and block on copies of it
 * - `blocking`: for commands that block the whole connection, such as `XREAD BLOCK`; they fail when no answer comes in time
 * - `confirmation`: they fail at once and are never sent again: a wait that is repeated elsewhere proves nothing
 * - `sentinel`: a Sentinel is asked, which has a second to answer
 * - `probe`: one attempt only
 */
export type RedisRole = 'producer' | 'worker' | 'blocking' | 'ledger' | 'confirmation' | 'sentinel' | 'probe';

const DEAD_PEER_MS = 15 * SECOND_MS;
/** BullMQ blocks for up to ten seconds, our workers for five; Redis ends a block at its next tick, a busy one later. */
const LONGEST_BLOCK_MS = 12 * SECOND_MS;
const CONNECT_MS = 10 * SECOND_MS;
/** A Sentinel or node that is asked where the master is; there are others to ask. */
const ASK_AROUND_MS = 2 * SECOND_MS;
/** A server that accepts a connection and sends nothing for this long is frozen. */
const FIRST_WORD_MS = 5 * SECOND_MS;
/** How often, and how many times, a call is repeated while a cluster fails over. */
const FAILOVER_PAUSE_MS = 200;
const REDIRECTIONS: Record<RedisRole, number> = {
  ...{ producer: 8, confirmation: 8, sentinel: 0, probe: 8 },
  ...{ ledger: 60, blocking: 60, worker: 10_000 },
};

const ROLE_OPTIONS: Record<RedisRole, (deadPeerMs: number) => RedisOptions> = {
  producer: (deadPeerMs) => ({ enableOfflineQueue: false, maxRetriesPerRequest: 1, socketTimeout: deadPeerMs }),
  ledger: (deadPeerMs) => ({ maxRetriesPerRequest: 10, socketTimeout: deadPeerMs }),
  worker: (deadPeerMs) => ({ maxRetriesPerRequest: null, socketTimeout: deadPeerMs }),
  blocking: (deadPeerMs) => ({
    ...{ maxRetriesPerRequest: null, socketTimeout: blockedSilenceMs(deadPeerMs) },
    commandTimeout: blockedSilenceMs(deadPeerMs),
  }),
  confirmation: (deadPeerMs) => ({
    ...{ autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0, socketTimeout: deadPeerMs },
    connectTimeout: ASK_AROUND_MS,
    // Connects again, which finds another master, without sending the command again.
    reconnectOnError: (error) => (isServedElsewhere(error) ? 1 : false),
  }),
  sentinel: () => ({
    ...{ enableReadyCheck: false, maxRetriesPerRequest: 0 },
    ...{ connectTimeout: SECOND_MS, commandTimeout: SECOND_MS },
    // The connections lie idle between confirmations, and a firewall may forget all of them at once.
    socketTimeout: ASK_AROUND_MS,
  }),
  probe: () => ({
    enableOfflineQueue: false,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: SECOND_MS,
    commandTimeout: SECOND_MS,
  }),
};

/** How long a connection may be silent on which somebody waits for news. */
export function blockedSilenceMs(deadPeerMs = DEAD_PEER_MS): number {
  return Math.max(deadPeerMs, LONGEST_BLOCK_MS);
}

/** How a connection of a role behaves, whatever it leads to. */
export function roleOptions(role: RedisRole, deadPeerMs = DEAD_PEER_MS): RedisOptions {
  return {
    // Shown by CLIENT LIST, so that operators see whose connection it is.
    connectionName: `tiktok-publisher:${role}:${process.pid}`,
    // Two commands less while connecting, which a careful ACL would refuse.
    disableClientInfo: true,
    connectTimeout: Math.min(deadPeerMs, CONNECT_MS),
    sentinelCommandTimeout: Math.min(deadPeerMs, ASK_AROUND_MS),
    // By default a server that is loading is asked again after up to ten seconds.
    maxLoadingRetryTime: SECOND_MS,
    ...ROLE_OPTIONS[role](deadPeerMs),
  };
}

/** How a cluster's client asks around for the node that has our keys. */
export function clusterPatience(role: RedisRole) {
  return {
    slotsRefreshTimeout: ASK_AROUND_MS,
    retryDelayOnFailover: FAILOVER_PAUSE_MS,
    retryDelayOnClusterDown: FAILOVER_PAUSE_MS,
    retryDelayOnTryAgain: FAILOVER_PAUSE_MS,
    maxRedirections: REDIRECTIONS[role],
  };
}

/** How long a server may take for its first word. */
export function firstWordMs(deadPeerMs = DEAD_PEER_MS): number {
  return Math.min(deadPeerMs, FIRST_WORD_MS);
}
