import { type Config, loadConfig } from '../config/load-config.ts';
import { closeInTime } from '../foundation/close-in-time.ts';
import { type Foundation, openFoundation } from '../foundation/foundation.ts';
import { createMetrics } from '../observability/metrics.ts';
import type { CreateWorkersOptions, Workers } from './create-workers.ts';
import { openWorkers } from './open-workers.ts';

/** Opens everything that workers need in a process that is not ours. @throws ConfigError, RedisUnavailableError */
export async function openStandAloneWorkers(options: CreateWorkersOptions): Promise<Workers> {
  const foundation = await openFoundation(configOf(options), { start: {} });
  const metrics = createMetrics();
  const running = await openOrClose(foundation, () => openWorkers({ foundation, metrics }, options));
  return {
    isRunning: running.isRunning,
    readiness: running.readiness,
    wake: running.wake,
    metrics: metrics.render,
    async close({ timeoutMs = foundation.config.shutdownTimeoutMs } = {}) {
      await running.close({ timeoutMs });
      await closeInTime(foundation, 0);
    },
  };
}

function configOf({ redisUrl, queuePrefix }: CreateWorkersOptions): Config {
  return loadConfig({
    ...process.env,
    ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
    ...(queuePrefix !== undefined && { QUEUE_PREFIX: queuePrefix }),
  });
}

async function openOrClose<T>(foundation: Foundation, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await foundation.close();
    throw error;
  }
}
