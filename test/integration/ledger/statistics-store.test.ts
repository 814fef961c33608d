import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { outcomesOf, sumStatistics } from '../../../src/core/publish-statistics.ts';
import { createStatisticsStore } from '../../../src/ledger/statistics-store.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys, type Keys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

const MINUTE_MS = 60_000;
const END = { state: 'published', tookMs: 3_000, lateMs: undefined } as const;

let redis: RedisClient;
let keys: Keys;
const time = { now: 1_795_000_000_000 };
const clock = { now: () => time.now };

beforeAll(async () => {
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
});
afterAll(() => closeRedis(redis));
beforeEach(() => {
  keys = createKeys(freshPrefix());
});

describe('statistics in Redis', () => {
  it('add what several processes noted, minute by minute, and forget what is older than the range', async () => {
    const [one, other] = [createStatisticsStore({ redis, keys, clock }), createStatisticsStore({ redis, keys, clock })];
    one.note(END);
    other.note(END);
    other.note({ ...END, state: 'failed' });
    time.now += MINUTE_MS;
    one.note(END);
    await Promise.all([one.flush(), other.flush()]);
    const counts = (await one.read('hour')).slice(-2).map(outcomesOf);
    expect(counts).toEqual([
      { good: 2, bad: 1 },
      { good: 1, bad: 0 },
    ]);
    time.now += 60 * MINUTE_MS;
    expect(outcomesOf(sumStatistics(await one.read('hour')))).toEqual({ good: 0, bad: 0 });
    for (const range of ['day', 'week'] as const) {
      expect(outcomesOf(sumStatistics(await one.read(range)))).toEqual({ good: 3, bad: 1 });
    }
  });

  it('are hashes that Redis deletes, at most 243 of them', async () => {
    const store = createStatisticsStore({ redis, keys, clock });
    // A week of a publish each minute would only repeat the same buckets: the edges of each count.
    for (let minutes = 0; minutes < 3 * 60; minutes += 1) {
      time.now += MINUTE_MS;
      store.note(END);
    }
    await store.flush();
    const all = await redis.keys(keys.statistics('*', '*'));
    for (const key of all) {
      const leftMs = await redis.pttl(key);
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThanOrEqual(7 * 24 * 60 * MINUTE_MS + 2 * 60 * MINUTE_MS);
    }
  });

  it('ask Redis for nothing while nothing ended, and once for whatever ended', async () => {
    const sent: string[] = [];
    const counted = new Proxy(redis, {
      get(target, name) {
        if (name === 'pipeline') sent.push('pipeline');
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const store = createStatisticsStore({ redis: counted, keys, clock });
    await store.flush();
    for (let count = 0; count < 500; count += 1) store.note(END);
    await store.flush();
    await store.flush();
    expect(sent).toEqual(['pipeline']);
  });
});
