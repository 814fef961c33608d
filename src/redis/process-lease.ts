import { SECOND_MS } from '../core/units.ts';
import type { RedisClient } from './lua-script.ts';

/** A process that died leaves its work to another one after so long. */
const LEASE_MS = 10 * SECOND_MS;

/** The right to do what one process alone should do. For a moment two may have it, so it is for work that bears that. */
export interface ProcessLease {
  /** Takes or renews it. @returns false while another process has it */
  hold(): Promise<boolean>;
  /** Lets another process go on at once. */
  release(): Promise<void>;
}

/** @param owner who asks for it, with an id of its own */
export function createProcessLease(redis: RedisClient, key: string, owner: string): ProcessLease {
  return {
    async hold() {
      if ((await redis.set(key, owner, 'PX', LEASE_MS, 'NX')) === 'OK') return true;
      if ((await redis.get(key)) !== owner) return false;
      await redis.pexpire(key, LEASE_MS);
      return true;
    },
    async release() {
      if ((await redis.get(key)) === owner) await redis.del(key);
    },
  };
}
