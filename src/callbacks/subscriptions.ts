import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { AuditFact } from '../core/access.ts';
import { endpointOf } from '../core/callback-schedule.ts';
import { BEFORE_ALL_EVENTS, parseEventCursor, refuseLostCursor } from '../core/event-cursor.ts';
import { parseStored } from '../core/parse-stored.ts';
import type { Clock, RotatingSealer } from '../core/ports.ts';
import { PublishError, toInputProblems } from '../core/publish-error.ts';
import { PUBLISH_EVENT_TYPES } from '../core/publish-event.ts';
import { type Subscription, type SubscriptionRequest, subscriptionRequestSchema } from '../core/subscription.ts';
import type { AllowList } from '../outbound/allow-list.ts';
import { checkOutboundUrl } from '../outbound/check-url.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

const MAX_SUBSCRIPTIONS = 100;

const storedSubscription = z.object({
  ...{ id: z.string(), sealedUrl: z.string(), endpoint: z.string(), createdAt: z.string(), createdBy: z.string() },
  types: z.array(z.enum(PUBLISH_EVENT_TYPES)).nullable(),
  accounts: z.array(z.string()).nullable(),
});

/** As it is stored: with its URL, encrypted. */
export type StoredSubscription = z.infer<typeof storedSubscription>;

export interface SubscriptionsDeps {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly sealer: RotatingSealer;
  readonly clock: Clock;
  readonly allowed: AllowList;
  readonly audit: { add(fact: AuditFact): Promise<void> };
}

/** Where events of many jobs and accounts go. */
export type Subscriptions = ReturnType<typeof createSubscriptions>;

/** One hash of Redis, and how far the events were given to each. */
export function createSubscriptions({ redis, keys, sealer, clock, allowed, audit }: SubscriptionsDeps) {
  async function all(): Promise<StoredSubscription[]> {
    return Object.values(await redis.hgetall(keys.subscriptions)).flatMap(
      (json) => parseStored(storedSubscription, json) ?? [],
    );
  }

  async function find(id: string): Promise<StoredSubscription | undefined> {
    const json = await redis.hget(keys.subscriptions, id);
    return json === null ? undefined : parseStored(storedSubscription, json);
  }

  /** The place after which events are sent. @throws PublishError `INPUT_INVALID`, `EVENTS_CURSOR_LOST` */
  async function startAt(after: string | undefined): Promise<string> {
    if (after === undefined)
      return (await redis.xrevrange(keys.events, '+', '-', 'COUNT', 1))[0]?.[0] ?? BEFORE_ALL_EVENTS;
    const cursor = parseEventCursor(after);
    const oldest = (await redis.xrange(keys.events, '-', '+', 'COUNT', 1))[0]?.[0];
    refuseLostCursor(cursor, oldest);
    return cursor;
  }

  return {
    /** @throws PublishError `INPUT_INVALID`, `EVENTS_CURSOR_LOST` */
    async create(request: SubscriptionRequest, createdBy: string): Promise<Subscription> {
      const { url, types = null, accounts = null, after } = parseRequest(request, allowed);
      const cursor = await startAt(after);
      if ((await redis.hlen(keys.subscriptions)) >= MAX_SUBSCRIPTIONS) {
        throw invalid('url', `there are ${MAX_SUBSCRIPTIONS} subscriptions; delete those not in use`);
      }
      const id = randomUUID();
      const made: StoredSubscription = {
        ...{ id, sealedUrl: await sealer.seal(url, contextOf(id)), endpoint: endpointOf(url), types, accounts },
        ...{ createdAt: new Date(clock.now()).toISOString(), createdBy },
      };
      await redis
        .multi()
        .hset(keys.subscriptionCursors, id, cursor)
        .hset(keys.subscriptions, id, JSON.stringify(made))
        .exec();
      const shown = shownOf(made);
      await audit.add({
        ...{ action: 'subscription.create', by: createdBy, subject: id, account: null },
        ...{ before: null, after: { ...shown } },
      });
      return shown;
    },

    /** Oldest first. */
    async list(): Promise<Subscription[]> {
      const found = (await all()).map(shownOf);
      return found.sort((one, other) => one.createdAt.localeCompare(other.createdAt));
    },

    /** @returns what it was; undefined if there was none of this id */
    async remove(id: string, by: string): Promise<Subscription | undefined> {
      const found = await find(id);
      if (found === undefined) return undefined;
      await redis.multi().hdel(keys.subscriptions, id).hdel(keys.subscriptionCursors, id).exec();
      const shown = shownOf(found);
      await audit.add({
        ...{ action: 'subscription.delete', by, subject: id, account: null },
        ...{ before: { ...shown }, after: null },
      });
      return shown;
    },

    all,
    find,

    /** The URL itself, to be used and not kept. @throws PublishError `CONFIG_KEY_UNKNOWN` */
    urlOf: async ({ id, sealedUrl }: StoredSubscription): Promise<string> =>
      await sealer.open(sealedUrl, contextOf(id)),

    /** Encrypts all URLs with the newest key. @returns how many were encrypted with another */
    async rekey(): Promise<number> {
      let count = 0;
      for (const stored of await all()) {
        if (!(await sealer.needsReseal(stored.sealedUrl))) continue;
        const url = await sealer.open(stored.sealedUrl, contextOf(stored.id));
        const sealedUrl = await sealer.seal(url, contextOf(stored.id));
        await redis.hset(keys.subscriptions, stored.id, JSON.stringify({ ...stored, sealedUrl }));
        count += 1;
      }
      return count;
    },
  };
}

function shownOf({ sealedUrl: _, ...subscription }: StoredSubscription): Subscription {
  return subscription;
}

function parseRequest(request: SubscriptionRequest, allowed: AllowList) {
  const { success, data, error } = subscriptionRequestSchema.safeParse(request);
  if (!success) throw new PublishError('INPUT_INVALID', { problems: toInputProblems(error.issues, 'subscription') });
  try {
    checkOutboundUrl(new URL(data.url), allowed);
  } catch (error) {
    if (error instanceof PublishError) throw invalid('url', error.message);
    throw error;
  }
  return data;
}

function invalid(path: string, message: string): PublishError {
  return new PublishError('INPUT_INVALID', { problems: [{ path, message }] });
}

function contextOf(id: string): string {
  return `subscription:${id}`;
}
