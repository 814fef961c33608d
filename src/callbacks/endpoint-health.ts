import { type CallbackSchedule, endpointOf, shouldPause } from '../core/callback-schedule.ts';
import type { PausedEndpoint } from '../core/delivery-reports.ts';
import type { Clock } from '../core/ports.ts';
import { sha256Hex } from '../core/request-digest.ts';
import type { Queues } from '../ledger/queues/queues.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

const ENDPOINT_ID_CHARS = 16;
const WAKE_BATCH = 200;

export interface EndpointState {
  readonly id: string;
  readonly endpoint: string;
  readonly failures: number;
  readonly isPaused: boolean;
}

/** Remembers how the deliveries to each endpoint went, and holds back those of one that keeps failing. */
export type EndpointHealth = ReturnType<typeof createEndpointHealth>;

/** @param options `retentionMs`: how long a row of failures is remembered */
export function createEndpointHealth(options: {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly queues: Pick<Queues, 'wakeEventEntry'>;
  readonly schedule: CallbackSchedule;
  readonly retentionMs: number;
}) {
  const { redis, keys, clock, queues, schedule, retentionMs } = options;

  async function resume(id: string): Promise<number> {
    await redis.del(keys.callbackEndpoint(id), keys.endpointProbe(id));
    await redis.zrem(keys.pausedEndpoints, id);
    let woken = 0;
    for (;;) {
      const waiting = await redis.spop(keys.endpointWaiting(id), WAKE_BATCH);
      await Promise.all(waiting.map((eventId) => queues.wakeEventEntry(eventId)));
      woken += waiting.length;
      if (waiting.length < WAKE_BATCH) return woken;
    }
  }

  return {
    async look(callbackUrl: string): Promise<EndpointState> {
      const endpoint = endpointOf(callbackUrl);
      const id = endpointIdOf(endpoint);
      const [failures, pausedAt] = await redis.hmget(keys.callbackEndpoint(id), 'failures', 'pausedAt');
      return { id, endpoint, failures: Number(failures ?? 0), isPaused: typeof pausedAt === 'string' };
    },

    async isPaused({ id }: EndpointState): Promise<boolean> {
      return (await redis.hexists(keys.callbackEndpoint(id), 'pausedAt')) === 1;
    },

    /** Whether this delivery may try a paused endpoint; of all that wait, one may now and then. */
    async mayProbe({ id }: EndpointState, eventId: string): Promise<boolean> {
      const taken = await redis.set(keys.endpointProbe(id), eventId, 'PX', schedule.probeEveryMs, 'NX');
      return taken === 'OK';
    },

    /** Takes the right to probe back where it was not used, so that the next process need not wait for it. */
    async releaseProbe({ id }: EndpointState): Promise<void> {
      await redis.del(keys.endpointProbe(id));
    },

    /** Notes that an event waits for a paused endpoint, so that it goes on at once when that is over. */
    async addWaiting({ id }: EndpointState, eventId: string): Promise<void> {
      const key = keys.endpointWaiting(id);
      await redis.multi().sadd(key, eventId).pexpire(key, retentionMs).exec();
    },

    /** Notes a success: a row of failures is over, and so is a pause. */
    async succeeded(state: EndpointState): Promise<void> {
      if (state.failures > 0 || state.isPaused) await resume(state.id);
    },

    /** Notes a failure. @returns whether the endpoint is paused now */
    async failed({ id, endpoint }: EndpointState, code: string): Promise<boolean> {
      const key = keys.callbackEndpoint(id);
      const now = clock.now();
      const failures = await redis.hincrby(key, 'failures', 1);
      await redis.hsetnx(key, 'firstFailureAt', now);
      await redis.hset(key, { endpoint, lastCode: code });
      await redis.pexpire(key, retentionMs);
      const [firstFailureAt, pausedAt] = await redis.hmget(key, 'firstFailureAt', 'pausedAt');
      const isPaused = typeof pausedAt === 'string';
      if (!isPaused && !shouldPause({ failures, firstFailureAt: Number(firstFailureAt ?? now) }, now, schedule))
        return false;
      // By its last try, so that it goes with what is remembered of it.
      await redis.zadd(keys.pausedEndpoints, now, id);
      if (isPaused) return true;
      await redis.hsetnx(key, 'pausedAt', now);
      // The first try of a paused endpoint comes after a pause, not at once.
      await redis.set(keys.endpointProbe(id), '', 'PX', schedule.probeEveryMs);
      return true;
    },

    /** Up to `most` paused endpoints, the longest paused first. */
    async paused(most: number): Promise<PausedEndpoint[]> {
      const ids = await redis.zrange(keys.pausedEndpoints, '0', String(most - 1));
      const found = (await Promise.all(ids.map(pausedEndpoint))).filter((endpoint) => endpoint !== undefined);
      return found.sort((one, other) => one.pausedAt.localeCompare(other.pausedAt));
    },

    /** A paused endpoint by its id; undefined if it is not paused. */
    findPaused: pausedEndpoint,

    resume,
  };

  async function pausedEndpoint(id: string): Promise<PausedEndpoint | undefined> {
    const hash = await redis.hgetall(keys.callbackEndpoint(id));
    if (hash.endpoint === undefined || hash.pausedAt === undefined) {
      // Nothing was tried for as long as jobs are kept: there is nothing left to deliver.
      await redis.zrem(keys.pausedEndpoints, id);
      return undefined;
    }
    return {
      id,
      endpoint: hash.endpoint,
      pausedAt: new Date(Number(hash.pausedAt)).toISOString(),
      failures: Number(hash.failures ?? 0),
      lastCode: hash.lastCode ?? '',
      waiting: await redis.scard(keys.endpointWaiting(id)),
    };
  }
}

/** How many endpoints are paused. Where nothing was tried for as long as jobs are kept, there is nothing left to deliver. */
export async function countPausedEndpoints(
  redis: RedisClient,
  keys: Keys,
  { now, retentionMs }: { readonly now: number; readonly retentionMs: number },
): Promise<number> {
  await redis.zremrangebyscore(keys.pausedEndpoints, '-inf', now - retentionMs);
  return await redis.zcard(keys.pausedEndpoints);
}

/** The id of an endpoint: its address may be long, and keys are no place for it. */
export function endpointIdOf(endpoint: string): string {
  return sha256Hex(endpoint).slice(0, ENDPOINT_ID_CHARS);
}
