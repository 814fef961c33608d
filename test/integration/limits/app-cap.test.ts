import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCaps, NOTE_DIRECT_POST_LUA } from '../../../src/limits/caps.ts';
import { createLanes, type LaneMember } from '../../../src/limits/lanes.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { prepareNamedScript, type RedisClient } from '../../../src/redis/lua-script.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const START = Date.UTC(2026, 11, 1, 12);

let redis: RedisClient;
beforeAll(async () => {
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
});
afterAll(() => closeRedis(redis));

/** The budget of an app on a real Redis, with a clock of its own, and a TikTok that lets so many creators post. */
function openBudget(cap: number) {
  const keys = createKeys(freshPrefix());
  const time = { now: START, cap };
  const caps = createCaps({ redis, keys, clock: { now: () => time.now } });
  const runNote = prepareNamedScript(
    redis,
    `${NOTE_DIRECT_POST_LUA}noteDirectPost(key.posts, key.users, arg.account, arg.now, key.facts, key.letIn)`,
  );
  const postedAt = new Map<string, number>();
  const isInside = (account: string) => (postedAt.get(account) ?? 0) > time.now - DAY_MS;
  const inside = () => [...postedAt.keys()].filter(isInside);

  async function note(account: string): Promise<void> {
    postedAt.set(account, time.now);
    await runNote(
      { posts: keys.directPosts(account), users: keys.activeUsers, facts: keys.facts, letIn: keys.letIn },
      { account, now: time.now },
    );
  }

  return {
    ...{ keys, caps, time, note },
    /** An account has a job that is due. */
    due: (account: string) => redis.zadd(keys.laneAdmitted(account), time.now, `job-${account}`),
    /** Runs an account's job as a worker does. @returns until when it waits; undefined: it has posted */
    async run(account: string, priority = 0): Promise<number | undefined> {
      const member: LaneMember = { id: `job-${account}`, account, priority, since: START };
      const until = await caps.letIn(member);
      if (until !== undefined) return until;
      if (!isInside(account) && inside().length >= time.cap) return await caps.noteRefusal(member);
      await note(account);
      await redis.del(keys.laneAdmitted(account));
      return undefined;
    },
  };
}

const named = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, number) => `${prefix}-${String(number).padStart(3, '0')}`);

function eachEightReversed(names: readonly string[]): string[] {
  const starts = Array.from({ length: Math.ceil(names.length / 8) }, (_, block) => block * 8);
  return starts.flatMap((start) => names.slice(start, start + 8).reverse());
}

describe("the app's cap as a budget", () => {
  it('lets all creators with a place and as many others post as there are places, and tells the rest when they go', async () => {
    const { time, due, run, note, caps } = openBudget(100);
    const active = named('active', 80);
    for (const [index, account] of active.entries()) {
      time.now = START - 20 * HOUR_MS + index * 10 * MINUTE_MS;
      await note(account);
    }
    time.now = START;
    // All are due at once; the new ones come first. Workers take them nearly by age: here, each eight the other way round.
    const waiting = new Map<string, { readonly told: number; next: number }>();
    const posted: string[] = [];
    const all = [...named('new', 220), ...active];
    for (const account of all) await due(account);
    for (const account of eachEightReversed(all)) {
      time.now += 500;
      const until = await run(account);
      if (until === undefined) posted.push(account);
      else waiting.set(account, { told: until, next: until });
    }
    expect(posted.filter((account) => account.startsWith('active'))).toHaveLength(80);
    expect(posted.filter((account) => account.startsWith('new'))).toHaveLength(20);
    expect(waiting.size).toBe(200);

    const wentAt = new Map<string, number>();
    while (waiting.size > 0) {
      const [first] = [...waiting].sort(([, one], [, other]) => one.next - other.next);
      if (first === undefined) break;
      const [account, plan] = first;
      // The sweep looks at the line from time to time, and the first one asks TikTok whether the cap was raised.
      if (plan.next - time.now > HOUR_MS) {
        time.now += HOUR_MS;
        for (const woken of await caps.nextInLine()) expect(await run(woken.replace('job-', ''))).toBeDefined();
        continue;
      }
      time.now = Math.max(time.now, plan.next);
      const until = await run(account);
      if (until !== undefined) plan.next = until;
      else {
        wentAt.set(account, time.now - plan.told);
        waiting.delete(account);
      }
    }
    const errors = [...wentAt.values()].map(Math.abs);
    expect(errors.filter((errorMs) => errorMs <= 5 * MINUTE_MS).length).toBeGreaterThanOrEqual(190);
  });

  it('lets a more urgent account in first', async () => {
    const { time, due, run, note } = openBudget(1);
    await note('inside');
    for (const account of ['first', 'urgent']) await due(account);
    const first = await run('first', 5);
    expect(first).toBe(START + DAY_MS);
    expect(await run('urgent', 1)).toBe(START + DAY_MS);
    time.now = START + DAY_MS;
    expect(await run('first', 5)).toBe(START + 2 * DAY_MS);
    expect(await run('urgent', 1)).toBeUndefined();
  });

  it('lets a job in by the priority that it was changed to', async () => {
    const { time, caps, run, note, keys } = openBudget(1);
    await note('inside');
    for (const account of ['first', 'second', 'third']) await run(account, 5);
    const lanes = createLanes({ redis, keys, clock: { now: () => time.now } });
    for (const [account, priority] of [
      ['third', 1],
      ['nowhere', 0],
    ] as const)
      await lanes.reorder({ id: `job-${account}`, account, priority, since: START });
    time.now = START + DAY_MS;
    expect(await caps.nextInLine()).toEqual(['job-third']);
  });

  it('keeps no place for a creator who was let in and did not post', async () => {
    const { time, caps, run, note } = openBudget(2);
    for (const account of ['a', 'b']) await note(account);
    expect(await run('c')).toBeDefined();
    time.now += DAY_MS;
    const member = { id: 'job-c', account: 'c', priority: 0, since: START };
    expect(await caps.letIn(member)).toBeUndefined();
    expect(await caps.letIn({ ...member, id: 'job-d', account: 'd' })).toBeUndefined();
    expect(await caps.letIn({ ...member, id: 'job-e', account: 'e' })).toBe(time.now + DAY_MS);
    time.now += 10 * MINUTE_MS;
    expect(await caps.nextInLine()).toEqual(['job-e']);
    expect(await run('e')).toBeUndefined();
  });

  it('finds out within an hour that TikTok has raised the cap, and then lets the line in', async () => {
    const { time, caps, run, note, keys } = openBudget(1);
    await note('inside');
    for (const account of ['first', 'second', 'third']) expect(await run(account)).toBeDefined();
    expect(await caps.nextInLine()).toEqual([]);
    time.cap = 10;
    time.now += HOUR_MS;
    expect(await caps.nextInLine()).toEqual(['job-first']);
    expect(await run('first')).toBeUndefined();
    expect(await redis.hexists(keys.facts, 'activeCreatorCap')).toBe(0);
    expect(await caps.nextInLine()).toEqual(['job-second', 'job-third']);
    expect(await run('third')).toBeUndefined();
  });

  it('asks again after an hour where it knows of no creator within the cap', async () => {
    const { caps, run, time } = openBudget(0);
    expect(await run('first')).toBe(START + HOUR_MS);
    expect(await run('second')).toBe(START + HOUR_MS);
    expect(await caps.heldBackUntil('second')).toBe(START + HOUR_MS);
    time.now += HOUR_MS;
    expect(await caps.nextInLine()).toEqual(['job-first']);
    await caps.leaveLine('job-first');
    expect(await caps.nextInLine()).toEqual(['job-second']);
  });

  it('tells without a change when an account would have to wait', async () => {
    const { caps, run, note, keys } = openBudget(1);
    await note('inside');
    await run('first');
    expect(await caps.heldBackUntil('inside')).toBeUndefined();
    expect(await caps.heldBackUntil('other')).toBe(START + 2 * DAY_MS);
    expect(await redis.zrange(keys.newcomers, '0', '-1')).toEqual(['job-first']);
  });
});
