import { cpus } from 'node:os';
import type { RedisClient } from '../../redis/lua-script.ts';
import { readServerCpuMs } from '../../redis/server-facts.ts';

/** How busy something was: 1 is one core all the time. */
export interface CpuUse {
  /** This process: producer and workers. */
  readonly process: number;
  /** The busiest master; null where Redis does not tell. */
  readonly redis: number | null;
  /** All cores of this machine, by whatever program. */
  readonly machine: number;
  readonly cores: number;
}

/** Measures until the returned function is called. */
export async function watchCpu(redis: RedisClient): Promise<() => Promise<CpuUse>> {
  const redisBefore = await readServerCpuMs(redis);
  const busyBefore = machineBusyMs();
  const processBefore = process.cpuUsage();
  const startedAt = performance.now();
  return async () => {
    const wallMs = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(processBefore);
    const machine = (machineBusyMs() - busyBefore) / wallMs;
    const redisMs = (await readServerCpuMs(redis)).map((cpuMs, index) => cpuMs - (redisBefore[index] ?? 0));
    const busiest = Math.max(...redisMs) / wallMs;
    return {
      process: rounded((user + system) / 1_000 / wallMs),
      redis: Number.isFinite(busiest) ? rounded(busiest) : null,
      machine: rounded(machine),
      cores: cpus().length,
    };
  };
}

function machineBusyMs(): number {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
}

/** To two decimals. */
export function rounded(value: number): number {
  return Number(value.toFixed(2));
}

/** What keeps more publishes from being made in the same time. */
export type Limit = 'redis' | 'process' | 'machine' | 'waiting';

const BUSY = 0.9;

/** What was busy nearly all the time, if anything was. */
export function limitOf({ process: ofProcess, redis, machine, cores }: CpuUse): Limit {
  if ((redis ?? 0) >= BUSY) return 'redis';
  if (ofProcess >= BUSY) return 'process';
  return machine / cores >= BUSY ? 'machine' : 'waiting';
}
