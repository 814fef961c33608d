import { z } from 'zod';
import type { Clock } from '../core/ports.ts';
import type { PauseRequest, PublishingPause } from '../core/publishing-pause.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

const storedSchema = z.object({
  reason: z.string().nullable(),
  until: z.string().nullable(),
  since: z.string(),
  by: z.string().nullable(),
});

export type PauseStore = ReturnType<typeof createPauseStore>;

/** The pause of all publishing. Redis ends one that has an end. */
export function createPauseStore({
  redis,
  keys,
  clock,
}: {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
}) {
  async function read(): Promise<PublishingPause | undefined> {
    const stored = await redis.get(keys.publishingPause);
    return stored === null ? undefined : storedSchema.parse(JSON.parse(stored));
  }

  return {
    /** @returns undefined while publishing is not paused */
    read,

    /** Replaces a pause that is there. */
    async begin({ reason, until }: PauseRequest, by: string | undefined): Promise<PublishingPause> {
      const now = clock.now();
      const pause: PublishingPause = {
        ...{ reason: reason ?? null, until: until === undefined ? null : new Date(until).toISOString() },
        ...{ since: new Date(now).toISOString(), by: by ?? null },
      };
      const stored = JSON.stringify(pause);
      if (until === undefined) await redis.set(keys.publishingPause, stored);
      else await redis.set(keys.publishingPause, stored, 'PX', Math.max(1, Date.parse(until) - now));
      return pause;
    },

    async end(): Promise<void> {
      await redis.del(keys.publishingPause);
    },

    /** Jobs that a pause held back which is over: they have to be woken. */
    async heldBefore(count: number): Promise<string[]> {
      const held = await redis.zrange(keys.jobIndex('waiting:publishing_paused'), '0', String(count - 1));
      return held.length === 0 || (await read()) !== undefined ? [] : held;
    },
  };
}
