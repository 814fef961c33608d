import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createReservations, RESERVATION_MARGIN_MS, type Reservations } from '../../../src/limits/reservations.ts';
import { TIKTOK_QUOTAS } from '../../../src/limits/tiktok-quotas.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

let redis: RedisClient;
const keys = createKeys(freshPrefix());
let reservations: Reservations;
let accountCount = 0;
const freshAccount = () => `account-${++accountCount}`;

beforeAll(async () => {
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
  reservations = createReservations({ redis, keys });
});
afterAll(() => closeRedis(redis));

/** The booked times themselves, on the clock that booked them. */
async function bookedTimes(account: string): Promise<number[]> {
  return (await redis.lrange(keys.reservations(account, 'status'), '0', '-1')).map(Number);
}

/** The most calls in any stretch of `windowMs`, counted from each call. */
function mostInAnyWindow(times: readonly number[], windowMs: number): number {
  return Math.max(0, ...times.map((start) => times.filter((at) => at >= start && at < start + windowMs).length));
}

describe('reservations', () => {
  it('tell of no wait right after a call that was made at once', async () => {
    const call = { account: freshAccount(), endpoint: 'status', ...TIKTOK_QUOTAS.status } as const;
    // In any part of a second of the server's clock.
    for (let count = 0; count < 20; count += 1) {
      await reservations.reserve(call);
      expect(await reservations.peek(call)).toBe(0);
    }
  });

  it('lets as many calls go at once as the limit allows, and the next one a window later', async () => {
    const request = { account: freshAccount(), endpoint: 'direct_init', ...TIKTOK_QUOTAS.direct_init } as const;
    const waits = [];
    for (let call = 0; call < 13; call += 1) waits.push((await reservations.reserve(request)).waitMs);
    expect(waits.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
    for (const waitMs of waits.slice(6, 12)) expect(waitMs).toBeGreaterThan(60_000 - 5_000);
    for (const waitMs of waits.slice(6, 12)) expect(waitMs).toBeLessThanOrEqual(60_000 + RESERVATION_MARGIN_MS);
    expect(waits[12]).toBeGreaterThan(115_000);
  });

  it('never passes the limit in any window, however many book at once and whatever is pushed in between', async () => {
    const seed = Date.now() % 2 ** 31;
    console.info(`reservations property seed ${seed}`);
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant('book' as const), count: fc.integer({ min: 1, max: 40 }) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('push' as const), delayMs: fc.integer({ min: 0, max: 5_000 }) }),
      },
    );
    const scenario = fc.record({
      limit: fc.integer({ min: 1, max: 30 }),
      windowMs: fc.integer({ min: 1, max: 3_000 }),
      steps: fc.array(step, { minLength: 1, maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ limit, windowMs, steps }) => {
        const request = { account: freshAccount(), endpoint: 'status', limit, windowMs } as const;
        const times: number[] = [];
        let slowestReplyMs = 0;
        const book = async () => {
          const askedAt = performance.now();
          const { callAt } = await reservations.reserve(request);
          slowestReplyMs = Math.max(slowestReplyMs, performance.now() - askedAt);
          times.push(callAt);
        };
        for (const next of steps) {
          if (next.kind === 'push') await reservations.push({ ...request, notBeforeAt: Date.now() + next.delayMs });
          else await Promise.all(Array.from({ length: next.count }, book));
        }
        // A reply that came late shifts that caller's clock reading; the margin covers it unless the machine is
        // overloaded.
        const overloadMs = Math.max(0, slowestReplyMs - RESERVATION_MARGIN_MS);
        expect(mostInAnyWindow(times, windowMs - overloadMs)).toBeLessThanOrEqual(limit);
      }),
      { seed, numRuns: 60 },
    );
  });

  it('keeps accounts and endpoints apart', async () => {
    const one = { account: freshAccount(), endpoint: 'status', limit: 1, windowMs: 60_000 } as const;
    expect((await reservations.reserve(one)).waitMs).toBe(0);
    expect((await reservations.reserve(one)).waitMs).toBeGreaterThan(0);
    expect((await reservations.reserve({ ...one, endpoint: 'creator_info' })).waitMs).toBe(0);
    expect((await reservations.reserve({ ...one, account: freshAccount() })).waitMs).toBe(0);
  });

  it('books nothing beyond the horizon, and says when to ask again', async () => {
    const request = {
      account: freshAccount(),
      endpoint: 'status',
      limit: 1,
      windowMs: 60_000,
      horizonMs: 10_000,
    } as const;
    expect(await reservations.reserve(request)).toMatchObject({ booked: true, waitMs: 0 });
    const before = await bookedTimes(request.account);
    const refused = await reservations.reserve(request);
    expect(refused.booked).toBe(false);
    expect(refused.waitMs).toBeGreaterThan(45_000);
    expect(refused.waitMs).toBeLessThanOrEqual(50_000 + RESERVATION_MARGIN_MS);
    expect(await bookedTimes(request.account)).toEqual(before);
  });

  it('books nothing new before the time that a 429 named, then as many as the limit allows', async () => {
    const request = { account: freshAccount(), endpoint: 'status', limit: 3, windowMs: 60_000 } as const;
    await reservations.reserve(request);
    const notBeforeAt = Date.now() + 90_000;
    await reservations.push({ ...request, notBeforeAt });
    const booked = [];
    for (let call = 0; call < 4; call += 1) booked.push(await reservations.reserve(request));
    for (const { callAt } of booked.slice(0, 3)) expect(Math.abs(callAt - notBeforeAt)).toBeLessThan(2_000);
    expect(booked[3]?.callAt).toBeGreaterThanOrEqual(notBeforeAt + 59_000);
  });

  it('does not bring later bookings forward when a short 429 arrives', async () => {
    const request = { account: freshAccount(), endpoint: 'status', limit: 1, windowMs: 60_000 } as const;
    await reservations.reserve(request);
    const { callAt } = await reservations.reserve(request);
    await reservations.push({ ...request, notBeforeAt: Date.now() + 1_000 });
    expect((await reservations.reserve(request)).callAt).toBeGreaterThanOrEqual(callAt + 59_000);
  });

  it('books nothing before what is booked already, even after the clock of Redis was set back', async () => {
    const request = { account: freshAccount(), endpoint: 'status', limit: 5, windowMs: 60_000 } as const;
    const bookedAt = Date.now() + 30_000;
    await redis.rpush(keys.reservations(request.account, 'status'), bookedAt);
    expect((await reservations.reserve(request)).callAt).toBeGreaterThanOrEqual(bookedAt - 1_000);
  });

  it('leaves nothing in Redis once its bookings no longer matter', async () => {
    const request = { account: freshAccount(), endpoint: 'status', limit: 2, windowMs: 60_000 } as const;
    await reservations.reserve(request);
    expect(await redis.pttl(keys.reservations(request.account, 'status'))).toBeLessThanOrEqual(
      60_000 + RESERVATION_MARGIN_MS,
    );
    await reservations.push({ ...request, notBeforeAt: Date.now() + 90_000 });
    const ttlMs = await redis.pttl(keys.reservations(request.account, 'status'));
    expect(ttlMs).toBeGreaterThan(85_000);
    expect(ttlMs).toBeLessThanOrEqual(90_001);
  });
});
