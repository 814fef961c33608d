import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newRecord } from '../../../src/ledger/change.ts';
import { createLedger } from '../../../src/ledger/ledger.ts';
import { createVersionFile } from '../../../src/ledger/version-file.ts';
import { createLedgerVersionStore } from '../../../src/ledger/version-store.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';
import { giveToStranger } from '../../support/stranger.ts';

async function startVersionStore() {
  const redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
  onTestFinished(() => closeRedis(redis));
  const keys = createKeys(freshPrefix());
  const ledger = createLedger({ redis, keys, clock: Date });

  /** @param now by the clock of who enqueues */
  async function enqueue(id: string, now = Date.now()): Promise<void> {
    const request = { account: 'acme', mode: 'inbox', media: { type: 'file', path: '/a.mp4' } } as const;
    await ledger.create(newRecord({ id, request, now }), { event: 'queued' });
  }

  return { redis, keys, enqueue, versions: createLedgerVersionStore({ redis, keys }) };
}

describe("a ledger's version", () => {
  it('is begun once, whoever comes first', async () => {
    const { versions } = await startVersionStore();
    expect((await versions.look()).version).toBeUndefined();
    const begun = await Promise.all([versions.begin(), versions.begin(), versions.begin()]);
    const ids = new Set(begun.map(({ version }) => version?.id));
    expect(ids.size).toBe(1);
    expect((await versions.read()).version).toMatchObject({ id: [...ids][0], count: 1 });
  });

  it('counts one heartbeat however many look at the same time, and none before its time', async () => {
    const { redis, keys, versions } = await startVersionStore();
    await versions.begin();
    await redis.hincrby(keys.ledgerVersion, 'at', -5_001);
    await Promise.all(Array.from({ length: 10 }, () => versions.look()));
    expect((await versions.read()).version?.count).toBe(2);
  });

  it('counts no heartbeat for one that saw more of it, or another one, so that its own last heartbeat stays', async () => {
    const { redis, keys, versions } = await startVersionStore();
    const { version } = await versions.begin();
    if (version === undefined) throw new Error('there is no version');
    const at = version.at - 60_000;
    await redis.hset(keys.ledgerVersion, { count: 93, at });
    for (const id of [version.id, 'another']) {
      expect((await versions.look({ ...version, id, count: 100 })).version).toEqual({ id: version.id, count: 93, at });
    }
    expect((await versions.look({ ...version, count: 99 })).version?.count).toBe(94);
  });

  it('dates its jobs by the clock of Redis, and by those of enqueuers where no event tells', async () => {
    const { redis, keys, enqueue, versions } = await startVersionStore();
    const { version } = await versions.begin();
    const hourAgo = Date.now() - 3_600_000;
    await enqueue('of-a-clock-that-is-behind', hourAgo);
    const looks = [await versions.look(), await versions.read()];
    expect(looks.every(({ holdsJobsSince = 0 }) => holdsJobsSince >= (version?.at ?? Infinity))).toBe(true);
    await redis.del(keys.events);
    expect((await versions.look()).holdsJobsSince).toBe(hourAgo);
  });

  it('tells which jobs were enqueued since the latest notice, whatever clocks say', async () => {
    const { versions, enqueue } = await startVersionStore();
    const { version } = await versions.begin();
    if (version === undefined) throw new Error('there is no version');
    await enqueue('of-the-backup');
    expect(await versions.enqueuedSince(await versions.read())).toEqual(new Set());
    await versions.addNotice({ ...version, count: 500 }, version);
    await enqueue('came-after', 1_000);
    await versions.addNotice({ ...version, count: 499 }, version);
    expect(await versions.enqueuedSince(await versions.read())).toEqual(new Set(['came-after']));
    // As in a backup of a ledger in notice, which was accepted and went on.
    await versions.addNotice({ ...version, count: 900 }, version);
    const noticed = await versions.read();
    expect(noticed.notices).toMatchObject([{ seen: { count: 900 } }]);
    expect(await versions.enqueuedSince(noticed)).toEqual(new Set());
    await versions.accept(noticed);
    expect((await versions.read()).doubtedAfter).toBeUndefined();
  });

  it('goes on counting when the clock of Redis is set back', async () => {
    const { redis, keys, versions } = await startVersionStore();
    await versions.begin();
    await redis.hincrby(keys.ledgerVersion, 'at', 3_600_000);
    expect((await versions.look()).version?.count).toBe(2);
    expect((await versions.look()).version?.count).toBe(2);
  });

  it('takes no notice of a state that changed since, such as one that a person accepted', async () => {
    const { redis, keys, versions } = await startVersionStore();
    const { version } = await versions.begin();
    if (version === undefined) throw new Error('there is no version');
    const seen = { ...version, count: 500 };
    await versions.addNotice(seen, version);
    const noticed = await versions.read();
    expect(noticed.notices).toEqual([{ seen, found: version, everybody: true }]);
    await versions.accept(noticed);
    expect((await versions.read()).version?.count).toBe(501);
    await versions.addNotice(seen, version);
    expect((await versions.read()).notices).toEqual([]);
    expect(await redis.hget(keys.ledgerVersion, 'id')).toBe(version.id);
  });

  it('that was missing is begun with the acceptance, and another one is known as accepted', async () => {
    const { versions } = await startVersionStore();
    const seen = { id: 'the-one-before', count: 500, at: 1_000 };
    await versions.addNotice(seen, undefined);
    expect((await versions.read()).notices).toMatchObject([{ seen, everybody: true }]);
    await versions.accept(await versions.read());
    const { version, acceptedIds, notices } = await versions.look();
    expect({ acceptedIds, notices }).toEqual({ acceptedIds: [seen.id], notices: [] });
    const other = { id: 'of-another-redis', count: 3, at: 1_000 };
    await versions.addNotice(other, version);
    expect((await versions.read()).notices).toMatchObject([{ seen: other, everybody: false }]);
    await versions.accept(await versions.read());
    expect((await versions.read()).acceptedIds).toEqual([seen.id, other.id]);
  });
});

describe('the file of what was last seen', () => {
  async function startFile(ledgerName = 'redis://127.0.0.1:6379 {a}') {
    const dataDir = await mkdtemp(join(tmpdir(), 'version-file-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    return { dataDir, file: createVersionFile({ dataDir, ledgerName }) };
  }

  it('keeps ledgers apart, and the most that any process of the machine saw', async () => {
    const { dataDir, file } = await startFile();
    const other = createVersionFile({ dataDir, ledgerName: 'redis://127.0.0.1:6379 {b}' });
    await file.write({ id: 'a', count: 9, at: 1 });
    await other.write({ id: 'b', count: 2, at: 1 });
    await file.write({ id: 'a', count: 3, at: 2 });
    expect(await file.read()).toEqual({ id: 'a', count: 9, at: 1 });
    expect(await other.read()).toEqual({ id: 'b', count: 2, at: 1 });
    await file.write({ id: 'new', count: 1, at: 3 });
    expect(await file.read()).toEqual({ id: 'new', count: 1, at: 3 });
  });

  it.runIf(process.getuid?.() === 0)("in a stranger's folder is neither believed nor written", async () => {
    const { dataDir, file } = await startFile();
    await file.write({ id: 'a', count: 9, at: 1 });
    await giveToStranger(dataDir);
    expect(await file.read()).toBeUndefined();
    await expect(file.write({ id: 'a', count: 10, at: 2 })).rejects.toThrow('belongs to another user');
  });

  it('that is damaged counts as none and is written anew', async () => {
    const { file } = await startFile();
    await writeFile(file.path, '{"half');
    expect(await file.read()).toBeUndefined();
    await file.write({ id: 'a', count: 1, at: 1 });
    expect(await file.read()).toEqual({ id: 'a', count: 1, at: 1 });
  });
});
