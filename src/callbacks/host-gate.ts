import type { Clock } from '../core/ports.ts';
import { HOUR_MS, SECOND_MS } from '../core/units.ts';
import type { Queues } from '../ledger/queues/queues.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { endpointIdOf } from './endpoint-health.ts';

/** Half of what a process delivers at once: however many events one host gets, there is room for others. */
const MOST_PER_HOST = 25;
/** A host that takes its time has its own events wait, and not those of others. */
const MOST_PER_SLOW_HOST = 5;
const SLOW_MS = 5 * SECOND_MS;

/** Keeps a host that hangs, or gets very many events, from holding all that a process can deliver at once. */
export type HostGate = ReturnType<typeof createHostGate>;

/** How many slow hosts, and hosts with a line, are remembered: the newest. */
const HOSTS_KNOWN = 1_000;

/**
 * Counts the deliveries of this process. Events that were not let in wait in one line for all processes, so that
 * any process that finished a delivery lets the next one start.
 */
export function createHostGate(deps: {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly queues: Pick<Queues, 'wakeEventEntry'>;
}) {
  const { redis, keys, clock, queues } = deps;
  const underWay = new Map<string, number>();
  const slow = new Set<string>();
  /** Hosts for which this process has put events in line, and not seen the end of it. */
  const withLine = new Set<string>();
  const lineOf = (host: string): string => keys.hostWaiting(endpointIdOf(host));

  function roomAt(host: string): number {
    return (slow.has(host) ? MOST_PER_SLOW_HOST : MOST_PER_HOST) - (underWay.get(host) ?? 0);
  }

  function remember(host: string, durationMs: number): void {
    slow.delete(host);
    if (durationMs >= SLOW_MS) addNewest(slow, host);
  }

  /** Wakes those that have waited longest. One that runs by now is out of line, and the next one goes instead. */
  async function wakeNext(host: string, count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const [next] = await redis.zpopmin(lineOf(host));
      if (next === undefined) {
        withLine.delete(host);
        return;
      }
      if (await queues.wakeEventEntry(next)) left -= 1;
    }
  }

  return {
    /** Whether a delivery to this host may begin now; then `leave` has to follow. */
    enter(host: string): boolean {
      if (roomAt(host) <= 0) return false;
      underWay.set(host, (underWay.get(host) ?? 0) + 1);
      return true;
    },

    /** @param durationMs how long the host took; undefined if it was not asked */
    async leave(host: string, durationMs: number | undefined): Promise<void> {
      const wasSlow = slow.has(host);
      const left = (underWay.get(host) ?? 0) - 1;
      if (left > 0) underWay.set(host, left);
      else underWay.delete(host);
      if (durationMs !== undefined) remember(host, durationMs);
      const room = roomAt(host);
      await wakeNext(host, wasSlow && !slow.has(host) ? room : Math.min(room, 1));
    },

    /** Puts an event in line, once its entry is delayed in the queue. */
    async waitFor(host: string, eventId: string): Promise<void> {
      const line = lineOf(host);
      addNewest(withLine, host);
      await redis.multi().zadd(line, 'NX', clock.now(), eventId).pexpire(line, HOUR_MS).exec();
      // Who made room meanwhile did not see it.
      if (roomAt(host) > 0) await wakeNext(host, 1);
    },

    /** Whether events wait in line for any host, as far as this process knows. */
    hasLines: (): boolean => withLine.size > 0,

    /** The same of one host. */
    hasLine: (host: string): boolean => withLine.has(host),

    /** An event that runs waits for nothing: woken later, it would come before its next delivery is due. */
    async leaveLine(host: string, eventId: string): Promise<void> {
      await redis.zrem(lineOf(host), eventId);
    },
  };
}

function addNewest(hosts: Set<string>, host: string): void {
  hosts.delete(host);
  hosts.add(host);
  const [oldest] = hosts;
  if (hosts.size > HOSTS_KNOWN && oldest !== undefined) hosts.delete(oldest);
}
