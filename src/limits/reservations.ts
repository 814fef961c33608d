import { z } from 'zod';
import type { Clock } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { refusedUntil } from '../core/retry-after.ts';
import { SECOND_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareNamedScript, prepareScript, type RedisClient, SERVER_TIME } from '../redis/lua-script.ts';
import { type Quota, type QuotaEndpoint, TIKTOK_QUOTAS } from './tiktok-quotas.ts';

/**
 * Added to every window: how much later than booked a call may reach TikTok, being woken late, on a busy machine, over
 * a slow network (ms).
 * @internal
 */
export const RESERVATION_MARGIN_MS = 3_000;

/** A reservation may be used this much late (ms): later it would be too close to later reservations. */
export const RESERVATION_LATE_MS = 2_000;

/**
 * `reserve(booked, limit, windowMs, horizonMs)` for scripts: books the next free time of one list of booked times (ms of
 * the server's clock, oldest first). Without a horizon pass nil.
 * Returns {ms to wait, 1 if booked}. A time beyond the horizon is not booked; the wait then lasts until it comes
 * within.
 */
export const RESERVE_LUA = `${SERVER_TIME}
local function reserve(booked, limit, windowMs, horizonMs)
  local window = windowMs + ${RESERVATION_MARGIN_MS}
  local now = serverTime()
  local callAt = now
  local oldest = redis.call('LINDEX', booked, -limit)
  if oldest then callAt = math.max(callAt, tonumber(oldest) + window) end
  local newest = redis.call('LINDEX', booked, -1)
  if newest then callAt = math.max(callAt, tonumber(newest)) end
  if horizonMs and callAt - now > horizonMs then return { callAt - now - horizonMs, 0 } end
  if redis.call('RPUSH', booked, string.format('%.0f', callAt)) > limit then redis.call('LTRIM', booked, -limit, -1) end
  redis.call('PEXPIRE', booked, callAt - now + window)
  return { callAt - now, 1 }
end
`;

/**
 * Books the past full, so that nothing new is booked for the next ARGV[4] ms. Later bookings stay as they are.
 *
 * KEYS[1] the list. ARGV: limit, window and margin in ms, delay in ms.
 */
const PUSH_LUA = `${SERVER_TIME}
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]) + tonumber(ARGV[3])
local now = serverTime()
local blocker = now + tonumber(ARGV[4]) - window
local booked = {}
for _, callAt in ipairs(redis.call('LRANGE', KEYS[1], -limit, -1)) do
  if tonumber(callAt) > blocker then table.insert(booked, callAt) end
end
redis.call('DEL', KEYS[1])
for _ = #booked + 1, limit do redis.call('RPUSH', KEYS[1], string.format('%.0f', blocker)) end
for _, callAt in ipairs(booked) do redis.call('RPUSH', KEYS[1], callAt) end
local newest = math.max(blocker, tonumber(booked[#booked] or 0))
redis.call('PEXPIRE', KEYS[1], math.max(1, newest - now + window))
return 1
`;

export interface ReservationRequest extends Quota {
  readonly account: string;
  readonly endpoint: QuotaEndpoint;
}

export interface Reservation {
  /** True: wait and call, without booking again. False: too far off; wait and book again. */
  readonly booked: boolean;
  /** 0: now. */
  readonly waitMs: number;
  /** The end of that wait on this process's clock (ms since the epoch). */
  readonly callAt: number;
}

export type Reservations = ReturnType<typeof createReservations>;

const reservationReply = z.tuple([z.number(), z.number()]);

/**
 * Times at which an account's calls may be made, shared by all processes. Redis's clock decides, so that processes whose
 * clocks differ keep one limit; one script on one key makes each reservation, so that concurrent ones never share a time.
 */
export function createReservations({ redis, keys, clock = Date }: { redis: RedisClient; keys: Keys; clock?: Clock }) {
  const runReserve = prepareNamedScript(
    redis,
    `${RESERVE_LUA}return reserve(key.booked, arg.limit, arg.windowMs, arg.horizonMs)`,
  );
  const runPush = prepareScript(redis, PUSH_LUA);

  return {
    /**
     * Books the next time at which one call keeps the limit in every window. An unused reservation is lost; the limit is
     * never exceeded.
     * @param request `horizonMs`: don't book further ahead than this
     */
    async reserve({
      account,
      endpoint,
      limit,
      windowMs,
      horizonMs,
    }: ReservationRequest & { readonly horizonMs?: number }): Promise<Reservation> {
      const reply = await runReserve({ booked: keys.reservations(account, endpoint) }, { limit, windowMs, horizonMs });
      const [waitMs, booked] = reservationReply.parse(reply);
      return { booked: booked === 1, waitMs, callAt: clock.now() + waitMs };
    },

    /** How long a call would have to wait now (ms); books nothing. */
    async peek({ account, endpoint, limit, windowMs }: ReservationRequest): Promise<number> {
      const key = keys.reservations(account, endpoint);
      const [oldest, newest, [seconds, microseconds]] = await Promise.all([
        redis.lindex(key, -limit),
        redis.lindex(key, -1),
        redis.time(),
      ]);
      const freeAt = oldest === null ? 0 : Number(oldest) + windowMs + RESERVATION_MARGIN_MS;
      const now = Number(seconds) * SECOND_MS + Math.floor(Number(microseconds) / 1_000);
      return Math.max(0, Math.max(freeAt, Number(newest ?? 0)) - now);
    },

    /** After a 429: books nothing new before a time (ms since the epoch); what is booked already stays. */
    async push({
      account,
      endpoint,
      limit,
      windowMs,
      notBeforeAt,
    }: ReservationRequest & { readonly notBeforeAt: number }): Promise<void> {
      const delayMs = Math.ceil(Math.max(0, notBeforeAt - clock.now()));
      await runPush([keys.reservations(account, endpoint)], [limit, windowMs, RESERVATION_MARGIN_MS, delayMs]);
    },
  };
}

/**
 * Makes a call that TikTok limits. After a 429 nothing more is booked for this account and endpoint until TikTok's
 * pause is over; the caller decides what follows for its job.
 */
export async function holdQuotaOnRefusal<T>(
  { account, endpoint }: { readonly account: string; readonly endpoint: QuotaEndpoint },
  { reservations, clock }: { readonly reservations: Pick<Reservations, 'push'>; readonly clock: Clock },
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof PublishError && error.code === 'TIKTOK_RATE_LIMITED') {
      const now = clock.now();
      const notBeforeAt = refusedUntil(error, now);
      // Should Redis be away, TikTok's answer still counts.
      await reservations.push({ account, endpoint, ...TIKTOK_QUOTAS[endpoint], notBeforeAt }).catch(() => undefined);
      // Who is told to come back earlier would only meet our own refusal.
      throw new PublishError(error.code, { ...error.details, retryAfterMs: notBeforeAt - now }, { cause: error });
    }
    throw error;
  }
}
