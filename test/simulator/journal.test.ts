import { describe, expect, it } from 'vitest';
import { call, put } from './api-calls.ts';
import { initFile, start, startWithClock } from './simulators.ts';

describe('the journal', () => {
  it('tells who asked what, when, and what was answered', async () => {
    const { clock, simulator, account } = await startWithClock();
    const startedAt = clock.now();
    const { publishId, uploadUrl } = await initFile(simulator, account, 9);
    clock.advance(10);
    await put(uploadUrl, Buffer.alloc(9), 0, 9);
    clock.advance(10);
    await call(simulator, account, 'status', { publish_id: publishId });
    await call(simulator, { accessToken: 'act.x' }, 'status', { publish_id: publishId });
    const { openId } = account;
    expect(simulator.journal.entries).toMatchObject([
      { seq: 1, at: startedAt, endpoint: 'video_init', httpStatus: 200, code: 'ok', openId, publishId },
      { seq: 2, at: startedAt + 10, endpoint: 'upload', httpStatus: 201, openId, publishId },
      { seq: 3, at: startedAt + 20, endpoint: 'status', httpStatus: 200, openId, publishId },
      { seq: 4, endpoint: 'status', httpStatus: 401, code: 'access_token_invalid', publishId },
    ]);
    expect(simulator.journal.requests({ endpoint: 'status', code: 'ok' })).toHaveLength(1);
    expect(simulator.journal.requests({ publishId })).toHaveLength(4);
  });

  it('holds no token, secret or upload URL', async () => {
    const simulator = await start();
    const account = simulator.addAccount();
    const { uploadUrl } = await initFile(simulator, account, 9);
    await put(uploadUrl, Buffer.alloc(9), 0, 9);
    const { entries } = simulator.journal;
    const written = JSON.stringify([entries, simulator.journal.publishes(), simulator.journal.posts()]);
    const uploadToken = new URL(uploadUrl).searchParams.get('upload_token') ?? '';
    for (const secret of [account.accessToken, account.refreshToken, simulator.clientSecret, uploadToken]) {
      expect(written).not.toContain(secret);
    }
  });

  it('tells the busiest window of the busiest user', async () => {
    const { clock, simulator, account } = await startWithClock({ limits: { creatorInfoPerMinute: 3 } });
    const other = simulator.addAccount();
    for (const gapMs of [0, 10_000, 10_000, 10_000, 30_001]) {
      clock.advance(gapMs);
      await call(simulator, account, 'creator_info', {});
      await call(simulator, other, 'creator_info', {});
    }
    expect(simulator.journal.peakPerWindow('creator_info', 60_000)).toBe(4);
    expect(simulator.journal.peakPerWindow('creator_info', 10_001)).toBe(2);
    expect(simulator.journal.peakPerWindow('status', 60_000)).toBe(0);
  });

  it('wakes who waits for a request, also for one that came before', async () => {
    const simulator = await start();
    const account = simulator.addAccount();
    const waiting = simulator.journal.waitFor(({ endpoint }) => endpoint === 'creator_info');
    await call(simulator, account, 'creator_info', {});
    const entry = await waiting;
    expect(entry).toMatchObject({ endpoint: 'creator_info', openId: account.openId });
    expect(await simulator.journal.waitFor(({ seq }) => seq === entry.seq)).toBe(entry);
  });

  it('stops waiting when time is up or the simulator closes', async () => {
    const simulator = await start();
    await expect(simulator.journal.waitFor(() => false, { timeoutMs: 1 })).rejects.toThrow('timed out waiting');
    const waiting = expect(simulator.journal.waitFor(() => false)).rejects.toThrow('the simulator closed');
    await simulator.close();
    await waiting;
  });

  it('forgets its oldest entries when it is full', async () => {
    const simulator = await start({ journalLimit: 10, limits: { creatorInfoPerMinute: 100 } });
    const account = simulator.addAccount();
    for (let index = 0; index < 25; index++) await call(simulator, account, 'creator_info', {});
    expect(simulator.journal.entries.length).toBeLessThanOrEqual(10);
    expect(simulator.journal.entries.at(-1)?.seq).toBe(25);
  });

  it('is emptied by a reset, which keeps accounts and frees quota', async () => {
    const simulator = await start({ limits: { initPerMinute: 1, postsPerDay: 1 } });
    const account = simulator.addAccount();
    const first = await initFile(simulator, account, 9);
    simulator.faults.add({ endpoint: 'video_init', act: { kind: 'drop_before' } });
    simulator.reset();
    expect(simulator.journal.entries).toEqual([]);
    expect(simulator.journal.publishes()).toEqual([]);
    expect((await put(first.uploadUrl, Buffer.alloc(9), 0, 9)).status).toBe(404);
    expect((await initFile(simulator, account, 9)).publishId).not.toBe('');
  });
});
