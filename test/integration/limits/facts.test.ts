import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFacts } from '../../../src/limits/facts.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

const START = Date.UTC(2026, 11, 1, 12);
const DAY_MS = 86_400_000;

let redis: RedisClient;
beforeAll(async () => {
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
});
afterAll(() => closeRedis(redis));

function openFacts() {
  const keys = createKeys(freshPrefix());
  const time = { now: START };
  return { keys, time, facts: createFacts({ redis, keys, clock: { now: () => time.now } }) };
}

const source = { jobId: 'job-1', account: 'acme' };

describe('learned facts', () => {
  it('are kept with source and age, those of an account apart', async () => {
    const { facts } = openFacts();
    await facts.change({ name: 'audited', value: true }, source);
    await facts.change({ name: 'dailyPostCap', value: 9 }, source);
    const audited = { value: true, learnedAt: START, ...source };
    expect(await facts.of('acme')).toEqual({ audited, dailyPostCap: { value: 9, learnedAt: START, ...source } });
    expect(await facts.of('other')).toEqual({ audited });
    expect((await facts.list()).map(({ name, account }) => [name, account])).toEqual(
      expect.arrayContaining([
        ['audited', null],
        ['dailyPostCap', 'acme'],
      ]),
    );
  });

  it('are forgotten when TikTok contradicts them', async () => {
    const { facts } = openFacts();
    await facts.change({ name: 'longestVideoSeconds', value: 900 }, source);
    await facts.change({ name: 'longestVideoSeconds', value: undefined }, source);
    expect(await facts.list()).toEqual([]);
  });

  it('are those of one app: another client key, as after a sandbox, starts with none', async () => {
    const { facts, keys } = openFacts();
    await facts.change({ name: 'audited', value: false }, source);
    for (const clientKey of [undefined, 'sandbox', 'sandbox', undefined]) await facts.keepFor(clientKey);
    expect(await facts.of('acme')).toMatchObject({ audited: { value: false } });
    await redis.zadd(keys.activeUsers, START, 'acme');
    await facts.keepFor('production');
    expect(await facts.list()).toEqual([]);
    expect(await redis.exists(keys.activeUsers)).toBe(0);
  });

  it('no longer count after their time, and are deleted; what another version wrote stays', async () => {
    const { facts, time, keys } = openFacts();
    await facts.change({ name: 'audited', value: false }, source);
    await facts.change({ name: 'uploadReport', value: 'count' }, source);
    const others = { newer: '{}', longestVideoSeconds: '{"value":"long"}', activeCreatorCap: 'no JSON' };
    await redis.hset(keys.facts, others);
    time.now += DAY_MS;
    expect(await facts.of('acme')).toMatchObject({ uploadReport: { value: 'count' } });
    expect((await facts.list()).map(({ name }) => name)).toEqual(['uploadReport']);
    expect((await redis.hkeys(keys.facts)).sort()).toEqual(['uploadReport', ...Object.keys(others)].sort());
  });

  it('take bounded memory: of the caps of creators, the last 200 are kept', async () => {
    const { facts, time, keys } = openFacts();
    for (let creator = 0; creator < 203; creator += 1) {
      time.now += 1;
      await facts.change({ name: 'dailyPostCap', value: 15 }, { jobId: 'job', account: `creator-${creator}` });
    }
    expect(await redis.hlen(keys.facts)).toBe(200);
    expect(await facts.of('creator-2')).toEqual({});
    expect(await facts.of('creator-202')).toMatchObject({ dailyPostCap: { value: 15 } });
  });
});
