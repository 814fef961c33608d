import type { ReadinessCheck } from '../http/health.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import type { RunningWorkers } from '../workers/runtime/start-workers.ts';

/** Whether Redis answers. */
export function redisCheck(redis: RedisClient): ReadinessCheck {
  return {
    name: 'redis',
    async check() {
      if (redis.status !== 'ready') throw new Error('Redis is not connected');
      await redis.ping();
    },
  };
}

/** Whether every worker could take a job now. */
export function workersCheck(workers: Pick<RunningWorkers, 'readiness'>): ReadinessCheck {
  return {
    name: 'workers',
    async check() {
      const { ready, reasons } = await workers.readiness();
      if (!ready) throw new Error(reasons.join('; '));
    },
  };
}
