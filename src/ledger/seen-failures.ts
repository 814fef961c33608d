import { z } from 'zod';
import type { SeenFailures } from '../core/job-counts.ts';
import { parseStored } from '../core/parse-stored.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

const seenSchema = z.object({ at: z.iso.datetime(), by: z.string() });

/** Which failures an operator has seen, by error code: those up to a time. */
export function createSeenFailures({ redis, keys }: { readonly redis: RedisClient; readonly keys: Keys }) {
  return {
    /** By error code. */
    async read(): Promise<ReadonlyMap<string, SeenFailures>> {
      const stored = Object.entries(await redis.hgetall(keys.seenFailures));
      return new Map(
        stored.flatMap(([code, json]) => {
          const seen = parseStored(seenSchema, json);
          return seen === undefined ? [] : [[code, seen] as const];
        }),
      );
    },

    async note(code: string, seen: SeenFailures): Promise<void> {
      await redis.hset(keys.seenFailures, code, JSON.stringify(seen));
    },
  };
}
