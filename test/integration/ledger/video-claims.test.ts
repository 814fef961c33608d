import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PublishState } from '../../../src/core/publish-state.ts';
import { DAY_MS, HOUR_MS } from '../../../src/core/units.ts';
import { createVideoClaims, type VideoClaims } from '../../../src/ledger/video-claims.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys, type Keys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

const NOW = 1_795_000_000_000;

let redis: RedisClient;
let keys: Keys;
let now: number;
let claims: VideoClaims;

beforeAll(async () => {
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
});
afterAll(() => closeRedis(redis));
beforeEach(() => {
  keys = createKeys(freshPrefix());
  now = NOW;
  claims = claimsOn(redis);
});

function claimsOn(client: RedisClient): VideoClaims {
  return createVideoClaims({ redis: client, keys, clock: { now: () => now }, windowMs: DAY_MS, maxWaitMs: HOUR_MS });
}

/** What the ledger says of a job. */
async function job(id: string, state: PublishState, endedAt?: number): Promise<void> {
  await redis.hset(keys.job(id), { state, fence: 1, ...(endedAt !== undefined && { endedAt }) });
  if (endedAt === undefined) await redis.hdel(keys.job(id), 'endedAt');
}

async function claim(id: string, { leaveToOther = true, account = 'acme', digest = 'abc' } = {}) {
  if ((await redis.exists(keys.job(id))) === 0) await job(id, 'queued');
  return await claims.claim({ id, account, fence: 1 }, { digest }, { leaveToOther });
}

describe('a video', () => {
  it('is had by one job of an account, which never meets itself', async () => {
    await job('one', 'queued');
    await job('two', 'queued');
    expect(await claim('one')).toBeUndefined();
    expect(await claim('one')).toBeUndefined();
    expect(await claim('two')).toEqual({ id: 'one', state: 'queued' });
    expect(await claim('one')).toBeUndefined();
  });

  it('is another one on another account and with other bytes', async () => {
    await job('one', 'published', NOW);
    await job('two', 'queued');
    await claim('one');
    expect(await claim('two', { account: 'other' })).toBeUndefined();
    expect(await claim('two', { digest: 'def' })).toBeUndefined();
  });

  it('goes to one of many jobs that ask at once, through several connections', async () => {
    const ids = Array.from({ length: 30 }, (_, index) => `job-${index}`);
    for (const id of ids) await job(id, 'queued');
    const second = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
    const workers = [claims, claimsOn(second)] as const;
    const answers = await Promise.all(
      ids.map((id, index) =>
        workers[index % 2 === 0 ? 0 : 1].claim(
          { id, account: 'acme', fence: 1 },
          { digest: 'abc' },
          { leaveToOther: true },
        ),
      ),
    );
    await closeRedis(second);
    const winners = ids.filter((_, index) => answers[index] === undefined);
    expect(winners).toHaveLength(1);
    const others = answers.filter((other) => other !== undefined);
    expect(new Set(others.map(({ id }) => id))).toEqual(new Set(winners));
  });
});

describe('another job', () => {
  it.each<PublishState>(['scheduled', 'queued', 'uploading', 'processing'])(
    'counts for as long as it is %s',
    async (state) => {
      await job('one', state);
      await claim('one');
      now += 30 * DAY_MS;
      expect(await claim('two')).toEqual({ id: 'one', state });
    },
  );

  it.each<PublishState>(['published', 'in_inbox', 'unconfirmed'])('counts for a day after it was %s', async (state) => {
    await job('one', 'uploading');
    await claim('one');
    await job('one', state, NOW);
    now += DAY_MS - 1;
    expect(await claim('two')).toEqual({ id: 'one', state });
    now += 1;
    expect(await claim('two')).toBeUndefined();
  });

  it.each<PublishState>(['failed', 'cancelled'])('that is %s does not count', async (state) => {
    await job('one', 'uploading');
    await claim('one');
    await job('one', state, NOW);
    expect(await claim('two')).toBeUndefined();
  });

  it('counts again when it is retried', async () => {
    await job('one', 'failed', NOW);
    await claim('one');
    now += 2 * DAY_MS;
    await job('one', 'processing');
    expect(await claim('two')).toEqual({ id: 'one', state: 'processing' });
  });

  it('does not count once it is forgotten', async () => {
    await claim('one');
    await redis.del(keys.job('one'));
    expect(await claim('two')).toBeUndefined();
    expect(await redis.zscore(keys.claimedVideo('acme', 'abc'), 'one')).toBeNull();
  });

  it('is named even where the claim is taken all the same, the latest first', async () => {
    for (const id of ['one', 'two', 'three']) await job(id, 'queued');
    expect(await claim('one', { leaveToOther: false })).toBeUndefined();
    now += 1;
    expect(await claim('two', { leaveToOther: false })).toEqual({ id: 'one', state: 'queued' });
    now += 1;
    expect(await claim('three')).toEqual({ id: 'two', state: 'queued' });
  });
});

describe('what Redis keeps of claims', () => {
  it('ends by itself, and is no more than the latest hundred of a video', async () => {
    for (let index = 0; index < 120; index += 1) {
      now += 1;
      await job(`job-${index}`, 'queued');
      await claim(`job-${index}`, { leaveToOther: false });
    }
    const key = keys.claimedVideo('acme', 'abc');
    expect(await redis.zcard(key)).toBe(100);
    expect(await redis.zscore(key, 'job-119')).toBe(String(now));
    const keptMs = await redis.pttl(key);
    expect(keptMs).toBeLessThanOrEqual(3 * DAY_MS + HOUR_MS);
    expect(keptMs).toBeGreaterThan(3 * DAY_MS);
  });
});
