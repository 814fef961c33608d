import { z } from 'zod';
import type { KnownCreator } from '../core/creator-rules.ts';
import { parseStored } from '../core/parse-stored.ts';
import type { Clock } from '../core/ports.ts';
import { PRIVACY_LEVELS } from '../core/post-limits.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

/** How long a creator's settings are taken as they were; the init itself refuses what has become wrong (ms). */
const REMEMBERED_MS = 5 * MINUTE_MS;
/** How long nobody asks again after TikTok could not say (ms). */
const SILENCE_MS = 30 * SECOND_MS;

export interface RememberedCreator {
  /** Ms since the epoch. */
  readonly askedAt: number;
  /** Undefined: TikTok could not say. */
  readonly creator: KnownCreator | undefined;
}

export type CreatorCache = ReturnType<typeof createCreatorCache>;

const creatorSchema = z.object({
  username: z.string().optional(),
  privacyLevelOptions: z.array(z.enum(PRIVACY_LEVELS)),
  commentDisabled: z.boolean(),
  duetDisabled: z.boolean(),
  stitchDisabled: z.boolean(),
  maxVideoDurationSeconds: z.number().optional(),
});
const rememberedSchema = z.object({ askedAt: z.number(), limits: creatorSchema.optional() });

/** Remembers briefly, for all processes, what TikTok said of creators. */
export function createCreatorCache({ redis, keys, clock = Date }: { redis: RedisClient; keys: Keys; clock?: Clock }) {
  return {
    async recall(account: string): Promise<RememberedCreator | undefined> {
      const json = await redis.get(keys.creator(account));
      if (json === null) return undefined;
      // What another version of this program wrote in another way is as good as nothing.
      const remembered = parseStored(rememberedSchema, json);
      if (remembered === undefined) return undefined;
      const { askedAt, limits } = remembered;
      return { askedAt, creator: limits && { username: undefined, maxVideoDurationSeconds: undefined, ...limits } };
    },

    /** @param info undefined: TikTok could not say */
    async remember(account: string, info: KnownCreator | undefined): Promise<void> {
      // Without what only a page shows.
      const limits = info === undefined ? undefined : creatorSchema.parse(info);
      const json = JSON.stringify({ askedAt: clock.now(), limits });
      await redis.set(keys.creator(account), json, 'PX', limits === undefined ? SILENCE_MS : REMEMBERED_MS);
    },

    /** Has TikTok asked again before the next post, since it has just contradicted what it said. */
    async forget(account: string): Promise<void> {
      await redis.del(keys.creator(account));
    },
  };
}
