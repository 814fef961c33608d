import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLanes, type LaneMember } from '../../../src/limits/lanes.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

const SECOND_MS = 1_000;
const keys = createKeys(freshPrefix());
let redis: RedisClient;
let accountCount = 0;
const freshAccount = () => `account-${++accountCount}`;

beforeAll(async () => {
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
});
afterAll(() => closeRedis(redis));
beforeEach(async () => void (await redis.del(keys.laneLimit)));

/** Any order of arrival, with few enough priorities and seconds that some are equal. */
const arrivals = fc.array(fc.record({ priority: fc.nat({ max: 3 }), second: fc.nat({ max: 5 }) }), {
  minLength: 1,
  maxLength: 30,
});

function membersOf(account: string, wanted: readonly { priority: number; second: number }[]): LaneMember[] {
  return wanted.map(({ priority, second }, index) => ({
    ...{ account, priority, since: second * SECOND_MS },
    id: `job-${String(index).padStart(3, '0')}`,
  }));
}

describe('a lane', () => {
  it('admits as many at a time as it is set to, each once, by priority and then age, however they come and go', async () => {
    const seed = Date.now() % 2 ** 31;
    console.info(`lanes property seed ${seed}`);
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 4 }), async (wanted, limit) => {
        const account = freshAccount();
        const lanes = createLanes({ redis, keys, clock: Date });
        await lanes.publishLimit(limit);
        const members = membersOf(account, wanted);
        const places = await Promise.all(members.map((member) => lanes.enter(member)));
        const inside = members.filter((_, index) => places[index] === 'admitted').map(({ id }) => id);
        expect(inside).toHaveLength(Math.min(limit, members.length));
        const waiting = members.filter(({ id }) => !inside.includes(id));
        const expected = waiting
          .toSorted((a, b) => a.priority - b.priority || a.since - b.since || a.id.localeCompare(b.id))
          .map(({ id }) => id);
        const admitted: string[] = [];
        for (let leaver = inside.shift(); leaver !== undefined; leaver = inside.shift()) {
          const woken = await lanes.leave(account, leaver);
          admitted.push(...woken);
          inside.push(...woken);
          expect(inside.length).toBeLessThanOrEqual(limit);
        }
        expect(admitted).toEqual(expected);
        expect(await redis.keys(`${keys.laneWaiting(account)}*`)).toEqual([]);
        expect(await lanes.admitted(account)).toEqual([]);
      }),
      { seed, numRuns: 60 },
    );
  });

  it('gives a place that becomes free to one job only, however many leave at once', async () => {
    const account = freshAccount();
    const lanes = createLanes({ redis, keys, clock: Date });
    await lanes.publishLimit(3);
    const members = membersOf(
      account,
      Array.from({ length: 40 }, () => ({ priority: 0, second: 0 })),
    );
    for (const member of members) await lanes.enter(member);
    const left: string[] = [];
    for (let inside = await lanes.admitted(account); inside.length > 0; inside = await lanes.admitted(account)) {
      expect(inside.length).toBeLessThanOrEqual(3);
      const woken = await Promise.all(inside.map((id) => lanes.leave(account, id)));
      left.push(...inside);
      expect(new Set(woken.flat()).size).toBe(woken.flat().length);
    }
    expect(left.toSorted()).toEqual(members.map(({ id }) => id));
  });

  it('tells whom to wake when free places are given out, and leaves those asleep who have one', async () => {
    const account = freshAccount();
    const members = membersOf(
      account,
      Array.from({ length: 4 }, () => ({ priority: 0, second: 0 })),
    );
    const lanes = createLanes({ redis, keys, clock: Date });
    for (const member of members) await lanes.enter(member);
    expect(await lanes.leave(account, '')).toEqual([]);
    await lanes.publishLimit(3);
    expect(await lanes.leave(account, '')).toEqual(['job-001', 'job-002']);
    expect(await lanes.leave(account, '')).toEqual([]);
  });

  it('says why an account stands still instead of letting its next job begin, and goes on where it was', async () => {
    const account = freshAccount();
    const lanes = createLanes({ redis, keys, clock: Date });
    const [first, second] = membersOf(account, [
      { priority: 0, second: 0 },
      { priority: 0, second: 1 },
    ]);
    if (first === undefined || second === undefined) throw new Error('there are two');
    await redis.hset(keys.account(account), { reauthorizationRequiredAt: 1 });
    expect(await lanes.enter(first)).toBe('reauthorization');
    await redis.hset(keys.account(account), { pausedAt: 1 });
    expect(await lanes.enter(first)).toBe('account_paused');
    expect(await lanes.enter(second)).toBe('waiting');
    await redis.del(keys.account(account));
    expect(await lanes.enter(first)).toBe('admitted');
  });
});
