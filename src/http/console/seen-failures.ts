import { z } from 'zod';
import { parseStored } from '../../core/parse-stored.ts';
import type { Keys } from '../../redis/keys.ts';
import type { RedisClient } from '../../redis/lua-script.ts';

const seenSchema = z.object({ at: z.iso.datetime(), by: z.string() });

/** Until when (ISO 8601) an operator has seen the failed and unconfirmed jobs of an error code. */
type Seen = z.infer<typeof seenSchema>;

export type SeenFailures = ReturnType<typeof createSeenFailures>;

/** Which failures an operator has seen, by error code: those up to a time. */
export function createSeenFailures({ redis, keys }: { readonly redis: RedisClient; readonly keys: Keys }) {
  return {
    /** By error code. */
    async read(): Promise<ReadonlyMap<string, Seen>> {
      const stored = Object.entries(await redis.hgetall(keys.seenFailures));
      return new Map(
        stored.flatMap(([code, json]) => {
          const seen = parseStored(seenSchema, json);
          return seen === undefined ? [] : [[code, seen] as const];
        }),
      );
    },

    async note(code: string, seen: Seen): Promise<void> {
      await redis.hset(keys.seenFailures, code, JSON.stringify(seen));
    },
  };
}
