import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Clock } from '../core/ports.ts';
import { nextPause, type PauseRequest, type PublishingPause } from '../core/publishing-pause.ts';
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

    /** Begins a pause, or changes the one that is there; what the request leaves out stays. */
    async begin(request: PauseRequest, by: string | undefined): Promise<PublishingPause> {
      const now = clock.now();
      const present = await read();
      const pause = nextPause(present, request, { by, now });
      if (isDeepStrictEqual(pause, present)) return pause;
      const stored = JSON.stringify(pause);
      if (pause.until === null) await redis.set(keys.publishingPause, stored);
      else await redis.set(keys.publishingPause, stored, 'PX', Math.max(1, Date.parse(pause.until) - now));
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
