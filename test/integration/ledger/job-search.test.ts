import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { matchesFilter, parseJobFilter, parseJobQuery } from '../../../src/core/job-filter.ts';
import type { PublishJob } from '../../../src/core/publish-job.ts';
import { createIndexWalk } from '../../../src/ledger/index-walk.ts';
import { createLedger, type Ledger } from '../../../src/ledger/ledger.ts';
import { createLedgerReader, type LedgerReader } from '../../../src/ledger/ledger-reader.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys, type Keys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { seededRandom } from '../../chaos/seeded-random.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';
import { anyFilter, type MadeTime, makeJobs, type Pick } from '../../support/varied-jobs.ts';

const JOBS = 100;
const time: MadeTime = { now: 0 };
const clock = { now: () => time.now };

let redis: RedisClient;
let keys: Keys;
let ledger: Ledger;
let reader: LedgerReader;

beforeAll(async () => {
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
});
afterAll(() => closeRedis(redis));
beforeEach(() => {
  keys = createKeys(freshPrefix());
  ledger = createLedger({ redis, keys, clock });
  reader = createLedgerReader({ redis, keys, clock });
});

function pickWith(seed: number): Pick {
  return seededRandom(seed).pick;
}

/** All that a query finds, page by page. */
async function findAll(query: object): Promise<PublishJob[]> {
  const found: PublishJob[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await reader.list(parseJobQuery({ ...query, cursor }));
    found.push(...page.jobs);
    if (page.nextCursor === null) return found;
    cursor = page.nextCursor;
  }
}

async function build(): Promise<void> {
  const now = await ledger.serverTime();
  for (let calls = 0; calls < 50 && (await redis.hget(keys.indexBuild, 'builtAt')) === null; calls += 1) {
    await ledger.buildIndexes(now);
  }
}

/** Each index with its jobs. */
async function indexes(): Promise<Record<string, string[]>> {
  const names = (await redis.keys(`${keys.jobIndex('')}*`)).sort();
  const sets = await Promise.all(names.map((name) => redis.zrange(name, '0', '-1', 'WITHSCORES')));
  return Object.fromEntries(names.flatMap((name, at) => (name === keys.due ? [] : [[name, sets[at] ?? []]])));
}

it('scores of many jobs in many indexes are read in scripts of a bounded length', async () => {
  const ids = Array.from({ length: 500 }, (_, n) => `id-${n}`);
  const names = Array.from({ length: 25 }, (_, n) => `state:${n}`);
  const { scoresOf, keyOf } = createIndexWalk({ redis, keys });
  for (const [n, name] of names.entries()) await redis.zadd(keyOf(name), n, ids[n] ?? '', 7, 'id-499');
  const sent = vi.spyOn(redis, 'sendCommand');
  const scores = await scoresOf(names, ids);
  const scripts = sent.mock.calls.flatMap(([{ name, args }]) => (name.startsWith('eval') ? [Number(args[1])] : []));
  sent.mockRestore();
  expect(scripts).toEqual([10, 10, 5]);
  expect(scores.map((row, n) => [row[n], row[499], row.length])).toEqual(names.map((_, n) => [n, 7, 500]));
});

describe('search', () => {
  it('finds, by any filter and in either order, the jobs that a look at each job finds', async () => {
    const seed = randomInt(2 ** 31);
    const pick = pickWith(seed);
    await ledger.publishIndexes(['campaign', 'order', 'rush']);
    const ids = (await makeJobs(JOBS, ledger, time, pick)).map(({ id }) => id);
    await redis.hset(keys.account('cafe'), 'pausedAt', '1');
    await redis.zadd(keys.heldAccounts, '1', 'cafe');
    const jobs = (await reader.readMany(ids)).filter((job) => job !== undefined);
    jobs.sort((one, other) => Date.parse(one.createdAt) - Date.parse(other.createdAt) || (one.id < other.id ? -1 : 1));
    for (let times = 0; times < 60; times += 1) {
      const filter = anyFilter(pick);
      const order = pick(['newest', 'oldest']);
      const expected = jobs.filter(
        (job) =>
          matchesFilter(job, parseJobFilter(filter)) && [undefined, job.idempotencyKey].includes(filter.idempotencyKey),
      );
      if (order === 'newest') expected.reverse();
      const found = await findAll({ ...filter, order, limit: pick([1, 7, 500]) });
      expect(
        found.map(({ id }) => id),
        `seed ${seed}, ${JSON.stringify(filter)}, ${order}`,
      ).toEqual(expected.map(({ id }) => id));
    }
    for (const account of [undefined, 'cafe', 'acme']) {
      expect(await reader.count(account === undefined ? undefined : [account]), `seed ${seed}`).toEqual(
        countsOf(jobs, account),
      );
    }
  });

  it('finds what waits for a whole account also where that is more than a search may hold', async () => {
    const seed = randomInt(2 ** 31);
    const ids = (await makeJobs(JOBS, ledger, time, pickWith(seed))).map(({ id }) => id);
    await redis.hset(keys.account('cafe'), 'pausedAt', '1');
    await redis.zadd(keys.heldAccounts, '1', 'cafe');
    await redis.zadd(
      keys.laneWaiting('cafe'),
      ...Array.from({ length: 10_001 }, (_, at) => [at, `other-${at}`]).flat(),
    );
    await redis.zadd(keys.lanes, 1, 'cafe');
    const jobs = (await reader.readMany(ids)).filter((job) => job !== undefined);
    for (const reason of ['turn', 'account_paused'] as const) {
      const found = (await findAll({ waitingFor: [reason] })).map(({ id }) => id);
      const expected = jobs.filter(({ waitingFor }) => waitingFor === reason).map(({ id }) => id);
      expect(found.sort(), `seed ${seed}, ${reason}`).toEqual(expected.sort());
    }
  });

  it.each(['newest', 'oldest'])('never names in a cursor a job that it did not find, the %s first', async (order) => {
    // All of one instant, so that only their ids tell the places of a page apart.
    const idsOf = (start: string) =>
      Array.from({ length: 10_600 }, (_, number) => `${start}-7c1e-7e56-9a53-2f6d${String(number).padStart(8, '0')}`);
    const [theirs, ours] = [idsOf('0194f2b0'), idsOf('0194f2b1')];
    const scored = (ids: readonly string[]) => ids.flatMap((id) => ['1764000000000', id]);
    await redis.zadd(keys.allJobs, ...scored([...theirs, ...ours]));
    await redis.zadd(keys.stateJobs('failed'), ...scored(theirs));
    await redis.zadd(keys.accountJobs('ours'), ...scored([...ours, 'one-more']));
    const query = { account: 'ours', state: 'failed', order };
    const { jobs, nextCursor } = await reader.list(parseJobQuery(query));
    expect(jobs).toEqual([]);
    const place = Buffer.from(nextCursor ?? '', 'base64url').toString();
    expect(place).toContain('0194f2b0');
    expect(theirs.filter((id) => place.includes(id))).toEqual([]);
    expect(await findAll(query)).toEqual([]);
  });

  it('says which keys of metadata it knows when asked for another', async () => {
    await ledger.publishIndexes(['campaign']);
    await expect(reader.list(parseJobQuery({ metadata: { order: 7 } }))).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      details: { problems: [{ path: 'metadata.order', message: expect.stringContaining('(campaign)') }] },
    });
  });

  it('leaves nothing of a job that is forgotten', async () => {
    const pick = pickWith(randomInt(2 ** 31));
    await ledger.publishIndexes(['campaign', 'order']);
    for (const record of await makeJobs(40, ledger, time, pick)) expect(await ledger.forget(record)).toBe(true);
    expect(await indexes()).toEqual({});
    expect(await redis.keys(`${keys.start}post-id:*`)).toEqual([]);
  });
});

describe('building the indexes', () => {
  it('finds the jobs of an older version as it finds its own, and drops what does not belong', async () => {
    const pick = pickWith(randomInt(2 ** 31));
    await ledger.publishIndexes(['campaign', 'rush']);
    await makeJobs(60, ledger, time, pick);
    const kept = await indexes();
    const posts = await redis.keys(keys.postId('*'));
    // As an older version leaves them: all new indexes are missing, and one has a job that has gone on since.
    const old = [keys.jobIndex('account:'), keys.jobIndex('state:')];
    await redis.del(...posts, ...Object.keys(kept).filter((name) => !old.some((start) => name.startsWith(start))));
    await redis.zadd(keys.jobIndex('waiting:daily_cap'), 1, 'job-1', 2, 'a-job-that-is-gone');
    await redis.del(keys.indexBuild);
    await ledger.publishIndexes(['campaign', 'rush']);
    expect(await reader.list(parseJobQuery({ media: 'file' }))).toMatchObject({ indexing: true });
    await build();
    expect(await indexes()).toEqual(kept);
    expect((await redis.keys(keys.postId('*'))).sort()).toEqual(posts.sort());
    expect(await reader.list(parseJobQuery({ media: 'file' }))).not.toHaveProperty('indexing');
  });

  it('is over where there are no jobs, before and after the first workers start', async () => {
    expect(await reader.list(parseJobQuery({ media: 'file' }))).not.toHaveProperty('indexing');
    await ledger.publishIndexes(['campaign']);
    await makeJobs(1, ledger, time, pickWith(1));
    expect(await reader.list(parseJobQuery({ media: 'file' }))).not.toHaveProperty('indexing');
  });

  it('adds the jobs that exist when another key of metadata is named', async () => {
    await ledger.publishIndexes(['campaign']);
    await makeJobs(60, ledger, time, pickWith(randomInt(2 ** 31)));
    await build();
    await ledger.publishIndexes(['campaign', 'order']);
    await build();
    const all = (await findAll({})).filter((job) => job.metadata?.order === 7);
    expect(await findAll({ metadata: { order: 7 } })).toEqual(all);
    expect(all.length).toBeGreaterThan(0);
  });

  it('goes through all jobs once more an hour later, for what an older process wrote meanwhile', async () => {
    await ledger.publishIndexes([]);
    await makeJobs(30, ledger, time, pickWith(randomInt(2 ** 31)));
    await build();
    const kept = await indexes();
    await redis.del(keys.jobIndex('media:file'));
    const now = await ledger.serverTime();
    await ledger.buildIndexes(now);
    expect(await indexes()).not.toEqual(kept);
    for (let calls = 0; calls < 50; calls += 1) await ledger.buildIndexes(now + 3_700_000);
    expect(await indexes()).toEqual(kept);
    expect(await redis.hget(keys.indexBuild, 'checkedAt')).not.toBeNull();
  });
});

function countsOf(all: readonly PublishJob[], account: string | undefined) {
  const jobs = all.filter((job) => account === undefined || job.account === account);
  const by = (values: readonly (string | null | undefined)[]) => {
    const counts: Record<string, number> = {};
    for (const value of values) if (value != null) counts[value] = (counts[value] ?? 0) + 1;
    return counts;
  };
  return {
    total: jobs.length,
    states: by(jobs.map(({ state }) => state)),
    codes: by(jobs.map(({ failure }) => failure?.code)),
    waitingFor: by(jobs.map(({ waitingFor }) => waitingFor)),
  };
}
