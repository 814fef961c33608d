import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newRecord } from '../../../src/ledger/change.ts';
import { createLedger } from '../../../src/ledger/ledger.ts';
import { createLedgerMark } from '../../../src/ledger/ledger-mark.ts';
import { createSightFile } from '../../../src/ledger/sight-file.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

async function startMark() {
  const redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
  onTestFinished(() => closeRedis(redis));
  const keys = createKeys(freshPrefix());
  const ledger = createLedger({ redis, keys, clock: Date });

  /** @param now by the clock of who enqueues */
  async function enqueue(id: string, now = Date.now()): Promise<void> {
    const request = { account: 'acme', mode: 'inbox', media: { type: 'file', path: '/a.mp4' } } as const;
    await ledger.create(newRecord({ id, request, now }), { event: 'queued' });
  }

  return { redis, keys, enqueue, mark: createLedgerMark({ redis, keys }) };
}

describe("a ledger's mark", () => {
  it('is begun once, whoever comes first', async () => {
    const { mark } = await startMark();
    expect((await mark.look()).sight).toBeUndefined();
    const begun = await Promise.all([mark.begin(), mark.begin(), mark.begin()]);
    const ids = new Set(begun.map(({ sight }) => sight?.id));
    expect(ids.size).toBe(1);
    expect((await mark.read()).sight).toMatchObject({ id: [...ids][0], count: 1 });
  });

  it('counts one beat however many look at the same time, and none before its time', async () => {
    const { redis, keys, mark } = await startMark();
    await mark.begin();
    await redis.hincrby(keys.ledgerMark, 'at', -5_001);
    await Promise.all(Array.from({ length: 10 }, () => mark.look()));
    expect((await mark.read()).sight?.count).toBe(2);
  });

  it('counts no beat for one that saw more of it, or another one, so that its own last beat stays', async () => {
    const { redis, keys, mark } = await startMark();
    const { sight } = await mark.begin();
    if (sight === undefined) throw new Error('there is no mark');
    const at = sight.at - 60_000;
    await redis.hset(keys.ledgerMark, { count: 93, at });
    for (const id of [sight.id, 'another']) {
      expect((await mark.look({ ...sight, id, count: 100 })).sight).toEqual({ id: sight.id, count: 93, at });
    }
    expect((await mark.look({ ...sight, count: 99 })).sight?.count).toBe(94);
  });

  it('dates its jobs by the clock of Redis, and by those of enqueuers where no event tells', async () => {
    const { redis, keys, enqueue, mark } = await startMark();
    const { sight } = await mark.begin();
    const hourAgo = Date.now() - 3_600_000;
    await enqueue('of-a-clock-that-is-behind', hourAgo);
    const looks = [await mark.look(), await mark.read()];
    expect(looks.every(({ holdsJobsSince = 0 }) => holdsJobsSince >= (sight?.at ?? Infinity))).toBe(true);
    await redis.del(keys.events);
    expect((await mark.look()).holdsJobsSince).toBe(hourAgo);
  });

  it('tells which jobs were enqueued since the latest doubt, whatever clocks say', async () => {
    const { mark, enqueue } = await startMark();
    const { sight } = await mark.begin();
    if (sight === undefined) throw new Error('there is no mark');
    await enqueue('of-the-backup');
    expect(await mark.enqueuedSince(await mark.read())).toEqual(new Set());
    await mark.doubt({ ...sight, count: 500 }, sight);
    await enqueue('came-after', 1_000);
    await mark.doubt({ ...sight, count: 499 }, sight);
    expect(await mark.enqueuedSince(await mark.read())).toEqual(new Set(['came-after']));
    // As in a backup of a ledger in doubt, which was accepted and went on.
    await mark.doubt({ ...sight, count: 900 }, sight);
    const doubted = await mark.read();
    expect(doubted.doubts).toMatchObject([{ seen: { count: 900 } }]);
    expect(await mark.enqueuedSince(doubted)).toEqual(new Set());
    await mark.accept(doubted);
    expect((await mark.read()).doubtedAfter).toBeUndefined();
  });

  it('goes on counting when the clock of Redis is set back', async () => {
    const { redis, keys, mark } = await startMark();
    await mark.begin();
    await redis.hincrby(keys.ledgerMark, 'at', 3_600_000);
    expect((await mark.look()).sight?.count).toBe(2);
    expect((await mark.look()).sight?.count).toBe(2);
  });

  it('takes no doubt of a state that changed since, such as one that a person accepted', async () => {
    const { redis, keys, mark } = await startMark();
    const { sight } = await mark.begin();
    if (sight === undefined) throw new Error('there is no mark');
    const seen = { ...sight, count: 500 };
    await mark.doubt(seen, sight);
    const doubted = await mark.read();
    expect(doubted.doubts).toEqual([{ seen, found: sight, everybody: true }]);
    await mark.accept(doubted);
    expect((await mark.read()).sight?.count).toBe(501);
    await mark.doubt(seen, sight);
    expect((await mark.read()).doubts).toEqual([]);
    expect(await redis.hget(keys.ledgerMark, 'id')).toBe(sight.id);
  });

  it('that was missing is begun with the acceptance, and another one is known as accepted', async () => {
    const { mark } = await startMark();
    const seen = { id: 'the-one-before', count: 500, at: 1_000 };
    await mark.doubt(seen, undefined);
    expect((await mark.read()).doubts).toMatchObject([{ seen, everybody: true }]);
    await mark.accept(await mark.read());
    const { sight, acceptedIds, doubts } = await mark.look();
    expect({ acceptedIds, doubts }).toEqual({ acceptedIds: [seen.id], doubts: [] });
    const other = { id: 'of-another-redis', count: 3, at: 1_000 };
    await mark.doubt(other, sight);
    expect((await mark.read()).doubts).toMatchObject([{ seen: other, everybody: false }]);
    await mark.accept(await mark.read());
    expect((await mark.read()).acceptedIds).toEqual([seen.id, other.id]);
  });
});

describe('the file of what was last seen', () => {
  async function startFile(ledgerName = 'redis://127.0.0.1:6379 {a}') {
    const dataDir = await mkdtemp(join(tmpdir(), 'sight-file-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    return { dataDir, file: createSightFile({ dataDir, ledgerName }) };
  }

  it('keeps ledgers apart, and the most that any process of the machine saw', async () => {
    const { dataDir, file } = await startFile();
    const other = createSightFile({ dataDir, ledgerName: 'redis://127.0.0.1:6379 {b}' });
    await file.write({ id: 'a', count: 9, at: 1 });
    await other.write({ id: 'b', count: 2, at: 1 });
    await file.write({ id: 'a', count: 3, at: 2 });
    expect(await file.read()).toEqual({ id: 'a', count: 9, at: 1 });
    expect(await other.read()).toEqual({ id: 'b', count: 2, at: 1 });
    await file.write({ id: 'new', count: 1, at: 3 });
    expect(await file.read()).toEqual({ id: 'new', count: 1, at: 3 });
  });

  it('that is damaged counts as none and is written anew', async () => {
    const { file } = await startFile();
    await writeFile(file.path, '{"half');
    expect(await file.read()).toBeUndefined();
    await file.write({ id: 'a', count: 1, at: 1 });
    expect(await file.read()).toEqual({ id: 'a', count: 1, at: 1 });
  });
});
