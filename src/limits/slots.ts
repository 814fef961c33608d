import { z } from 'zod';
import type { Clock } from '../core/ports.ts';
import { SECOND_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareScript, type RedisClient } from '../redis/lua-script.ts';
import { PUSH_SLOTS_LUA, RESERVE_SLOT_LUA } from './slot-scripts.ts';
import type { Quota, QuotaEndpoint } from './tiktok-quotas.ts';

/**
 * Added to every window: how much later than booked a call may reach TikTok, being woken late, on a busy machine, over a slow network (ms).
 * @internal
 */
export const SLOT_MARGIN_MS = 3_000;
const NO_HORIZON = -1;

/** Which list of bookings, and how full it may get. */
interface SlotRequest extends Quota {
  readonly account: string;
  readonly endpoint: QuotaEndpoint;
}

/** When a call may be made. */
interface SlotReservation {
  /** True: wait and call, without booking again. False: too far off; wait and book again. */
  readonly booked: boolean;
  /** 0: now. */
  readonly waitMs: number;
  /** The end of that wait on this process's clock (ms since the epoch). */
  readonly slotAt: number;
}

/** Times at which an account's calls may be made, shared by all processes. */
export interface Slots {
  /**
   * Books the next time at which one call keeps the limit in every window. Who stops before using it wastes it;
   * the limit is never passed.
   * @param request `horizonMs`: don't book further ahead than this
   */
  reserve(request: SlotRequest & { readonly horizonMs?: number | undefined }): Promise<SlotReservation>;
  /** How long a call would have to wait now (ms); books nothing. */
  peek(request: SlotRequest): Promise<number>;
  /** After a 429: books nothing new before a time (ms since the epoch); what is booked already stays. */
  push(request: SlotRequest & { readonly notBeforeAt: number }): Promise<void>;
}

/** What {@link createSlots} needs. */
export interface SlotsDeps {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock?: Clock | undefined;
}

const reservationReply = z.tuple([z.number(), z.number()]);

/**
 * Creates the booking of call slots. Redis's clock decides, so that processes whose clocks differ keep one limit;
 * one script on one key books each slot, so that concurrent bookings never share one.
 */
export function createSlots({ redis, keys, clock = Date }: SlotsDeps): Slots {
  const reserveSlot = prepareScript(redis, RESERVE_SLOT_LUA);
  const pushSlots = prepareScript(redis, PUSH_SLOTS_LUA);

  return {
    async reserve({ account, endpoint, limit, windowMs, horizonMs = NO_HORIZON }) {
      const reply = await reserveSlot([keys.slot(account, endpoint)], [limit, windowMs, SLOT_MARGIN_MS, horizonMs]);
      const [waitMs, booked] = reservationReply.parse(reply);
      return { booked: booked === 1, waitMs, slotAt: clock.now() + waitMs };
    },

    async peek({ account, endpoint, limit, windowMs }) {
      const key = keys.slot(account, endpoint);
      const [oldest, newest, [seconds]] = await Promise.all([
        redis.lindex(key, -limit),
        redis.lindex(key, -1),
        redis.time(),
      ]);
      const freeAt = oldest === null ? 0 : Number(oldest) + windowMs + SLOT_MARGIN_MS;
      return Math.max(0, Math.max(freeAt, Number(newest ?? 0)) - Number(seconds) * SECOND_MS);
    },

    async push({ account, endpoint, limit, windowMs, notBeforeAt }) {
      const delayMs = Math.ceil(Math.max(0, notBeforeAt - clock.now()));
      await pushSlots([keys.slot(account, endpoint)], [limit, windowMs, SLOT_MARGIN_MS, delayMs]);
    },
  };
}
