import { type Config, loadConfig } from '../config/load-config.ts';
import type { CreateWorkersOptions, Workers } from '../workers/create-workers.ts';
import type { RunningWorkers } from '../workers/runtime/start-workers.ts';
import { closeInTime } from './close-in-time.ts';
import { openApp } from './open-app.ts';
import { openService, type Service } from './open-service.ts';
import { openWorkers } from './open-workers.ts';

/** Opens everything that workers need in a process that is not ours. @throws ConfigError, RedisUnavailableError */
export async function openStandAloneWorkers({ tokens, only, ...settings }: CreateWorkersOptions): Promise<Workers> {
  const app = await openApp(configOf(settings), { start: {} });
  try {
    const service = await openService(app);
    return workersOf(service, await openWorkers(service, { tokens, only }));
  } catch (error) {
    await app.close();
    throw error;
  }
}

function workersOf({ app, metrics }: Service, { isRunning, readiness, wake, close }: RunningWorkers): Workers {
  return {
    ...{ isRunning, readiness, wake, metrics: metrics.render },
    async close({ timeoutMs = app.config.shutdownTimeoutMs } = {}) {
      await close({ timeoutMs });
      await closeInTime(app, 0);
    },
  };
}

function configOf({ redisUrl, queuePrefix }: Pick<CreateWorkersOptions, 'redisUrl' | 'queuePrefix'>): Config {
  return loadConfig({
    ...process.env,
    ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
    ...(queuePrefix !== undefined && { QUEUE_PREFIX: queuePrefix }),
  });
}
