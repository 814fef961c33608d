import type { Logger } from 'pino';
import { redisRefusalOf } from '../../core/redis-trouble.ts';
import { SECOND_MS } from '../../core/units.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import type { ProbeRedis } from './readiness.ts';
import type { WatchedWorker } from './watched-worker.ts';

const LOOK_EVERY_MS = 5 * SECOND_MS;

/** Starts one kind of worker on a connection. */
export type MakeWorker = (connection: RedisClient) => WatchedWorker;

interface ReplaceDeps {
  readonly probeRedis: ProbeRedis;
  /** Another connection of role `worker`. */
  readonly openConnection: () => Promise<RedisClient>;
  readonly log: Logger;
}

/**
 * Replaces workers that get no answer although Redis works: a failover may leave their clients in a bad state, and new
 * ones work, as after a restart. Jobs of the old worker go on and are fenced out like any other overtaken owner.
 * @param makers by the place of their workers, which the new ones take
 * @returns what ends it
 */
export function replaceStuckWorkers(
  workers: WatchedWorker[],
  makers: readonly MakeWorker[],
  { probeRedis, openConnection, log }: ReplaceDeps,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let suspects: readonly WatchedWorker[] = [];

  async function look(): Promise<void> {
    const late = workers.filter(isStuck);
    const serves = late.length > 0 && (await probeRedis()) === undefined;
    // Twice in a row: after an outage their own clients need a moment.
    const stuck = serves ? late.filter((worker) => suspects.includes(worker)) : [];
    suspects = serves ? late : [];
    if (stuck.length === 0) return;
    log.warn(
      { queues: stuck.map(({ name }) => name) },
      'workers got no response from a working Redis and were restarted',
    );
    const connection = await openConnection();
    if (isStopped) return;
    for (const [place, make] of makers.entries()) {
      const old = workers[place];
      if (old === undefined || !stuck.includes(old)) continue;
      workers[place] = make(connection);
      await old.leave();
    }
  }

  async function lookAndGoOn(): Promise<void> {
    await look().catch((error: unknown) => log.warn({ reason: String(error) }, 'restart of stuck workers failed'));
    if (!isStopped) schedule();
  }

  function schedule(): void {
    timer = setTimeout(lookAndGoOn, LOOK_EVERY_MS).unref();
  }

  schedule();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

/** One that Redis refuses would be refused again. */
function isStuck(worker: WatchedWorker): boolean {
  const { lateness } = worker;
  if (lateness === undefined || worker.isPaused()) return false;
  return lateness.trouble === undefined || redisRefusalOf(lateness.trouble) === undefined;
}
