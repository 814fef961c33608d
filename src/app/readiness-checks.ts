import type { ReadinessCheck } from '../http/health.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import type { RunningWorkers } from '../workers/runtime/start-workers.ts';

export function redisCheck(redis: RedisClient): ReadinessCheck {
  return {
    name: 'redis',
    async check() {
      if (redis.status !== 'ready') throw new Error('Redis is not connected');
      await redis.ping();
    },
  };
}

export function workersCheck(workers: Pick<RunningWorkers, 'readiness'>): ReadinessCheck {
  return {
    name: 'workers',
    async check() {
      const { ready, reasons } = await workers.readiness();
      if (!ready) throw new Error(reasons.join('; '));
    },
  };
}
