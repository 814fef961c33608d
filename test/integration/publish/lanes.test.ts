import { describe, expect, it, onTestFinished } from 'vitest';
import { createManagedAccounts } from '../../../src/accounts/managed-accounts.ts';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import { sweepOnce } from '../../../src/workers/runtime/sweep.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

const WAIT = { timeoutMs: 90_000 };
const NO_LIMITS = { limits: { initPerMinute: 1_000, statusPerMinute: 1_000, pendingSharesPerDay: 1_000 } };
const request = (account: string, path: string, priority = 0) =>
  ({
    account,
    mode: 'inbox',
    media: { type: 'file', path },
    priority,
  }) as const;

describe('a lane', () => {
  it('begins one upload of an account at a time, by priority and then age, and lets the others wait once', async () => {
    const { publisher, folder, simulator, account, queues, startWorkers } = await startTestPipeline({
      workers: false,
      simulator: { limits: { pendingSharesPerDay: 100 } },
    });
    const path = await makeVideo(folder, 1_000);
    const jobs = [];
    for (const priority of [0, 5, 5, 1]) jobs.push(await publisher.enqueue(request('acme', path, priority)));
    expect(jobs.map(({ waitingFor }) => waitingFor)).toEqual([null, 'turn', 'turn', 'turn']);
    expect(await queues.publish.getDelayedCount()).toBe(3);
    await startWorkers();
    const ended = await Promise.all(jobs.map(({ id }) => publisher.waitForCompletion(id, WAIT)));
    expect(ended.map(({ state }) => state)).toEqual(['in_inbox', 'in_inbox', 'in_inbox', 'in_inbox']);
    const order = simulator.journal.publishes().map(({ publishId }) => publishId);
    const byJob = ended.map(({ publishId }) => order.indexOf(publishId ?? ''));
    expect(byJob).toEqual([0, 2, 3, 1]);
    expect(simulator.journal.requests({ endpoint: 'inbox_init', openId: account.openId })).toHaveLength(4);
  });

  it('of a busy account delays no other account', async () => {
    const { publisher, folder, addAccount, startWorkers } = await startTestPipeline({
      workers: false,
      simulator: NO_LIMITS,
    });
    const path = await makeVideo(folder, 1_000);
    await addAccount('quiet');
    const hot = await publisher.enqueueBulk(Array.from({ length: 200 }, () => request('acme', path)));
    const quiet = await publisher.enqueue(request('quiet', path));
    await startWorkers();
    const ended = await publisher.waitForCompletion(quiet.id, WAIT);
    expect(ended.state).toBe('in_inbox');
    const waiting = await Promise.all(hot.slice(20).map(({ id }) => publisher.get(id)));
    expect(waiting.every((job) => job?.state === 'queued' && job.waitingFor !== null)).toBe(true);
  });

  it('goes on with the next job when one is cancelled or fails', async () => {
    const { publisher, folder, startWorkers } = await startTestPipeline({ workers: false });
    const path = await makeVideo(folder, 1_000);
    const first = await publisher.enqueue(request('acme', path));
    const second = await publisher.enqueue(request('acme', '/nowhere.mp4'));
    const third = await publisher.enqueue(request('acme', path));
    await publisher.cancel(first.id);
    await startWorkers();
    expect(await publisher.waitForCompletion(second.id, WAIT)).toMatchObject({ state: 'failed' });
    expect(await publisher.waitForCompletion(third.id, WAIT)).toMatchObject({ state: 'in_inbox' });
  });

  it('lets the job ahead wait on when those behind it are cancelled', async () => {
    const { publisher, folder, simulator, queues } = await startTestPipeline({
      simulator: { limits: { pendingSharesPerDay: 0 } },
    });
    const path = await makeVideo(folder, 1_000);
    const jobs = await publisher.enqueueBulk(Array.from({ length: 4 }, () => request('acme', path)));
    const [head, ...others] = jobs;
    if (head === undefined) throw new Error('four jobs were enqueued');
    await eventually(async () => (await publisher.get(head.id))?.waitingFor === 'pending_share_cap');
    await eventually(async () => (await queues.publish.getJob(head.id))?.isDelayed() ?? false);
    for (const { id } of others) await publisher.cancel(id);
    expect(await (await queues.publish.getJob(head.id))?.isDelayed()).toBe(true);
    expect(simulator.journal.requests({ endpoint: 'inbox_init' })).toHaveLength(1);
  });

  it.each([
    ['inbox', 'pending_share_cap', 'direct', 'published'],
    ['direct', 'daily_cap', 'inbox', 'in_inbox'],
  ] as const)('lets others pass a job of mode %s that waits for its %s', async (mode, cap, other, outcome) => {
    const limits = mode === 'inbox' ? { pendingSharesPerDay: 0 } : { postsPerDay: 0 };
    const { publisher, folder, simulator } = await startTestPipeline({ simulator: { limits } });
    const media = { type: 'file', path: await makeVideo(folder, 1_000) } as const;
    const post = { privacyLevel: 'SELF_ONLY' } as const;
    const enqueue = (mode: 'direct' | 'inbox') => publisher.enqueue({ account: 'acme', mode, media, post });
    const [first, second, passing] = [await enqueue(mode), await enqueue(mode), await enqueue(other)];
    expect(await publisher.waitForCompletion(passing.id, WAIT)).toMatchObject({ state: outcome });
    // One that comes when the lane stands still.
    expect(await publisher.waitForCompletion((await enqueue(other)).id, WAIT)).toMatchObject({ state: outcome });
    await eventually(async () => (await publisher.get(first.id))?.waitingFor === cap);
    expect(await publisher.get(second.id)).toMatchObject({
      state: 'queued',
      waitingFor: cap,
    });
    const endpoint = mode === 'inbox' ? 'inbox_init' : 'video_init';
    expect(simulator.journal.requests({ endpoint })).toHaveLength(1);
    // They keep their order: the first goes first when there is room again.
    await publisher.cancel(first.id);
    await eventually(async () => (await publisher.get(second.id))?.timeline.some(({ event }) => event === 'deferred'));
  });

  it('is shared by jobs that name the account by its name and by its open_id', async () => {
    const { publisher, folder, account, startWorkers } = await startTestPipeline({ workers: false });
    const path = await makeVideo(folder, 1_000);
    const byName = await publisher.enqueue(request('acme', path));
    const byOpenId = await publisher.enqueue(request(account.openId, path));
    expect(byOpenId).toMatchObject({ account: 'acme', waitingFor: 'turn' });
    await startWorkers();
    expect(await publisher.waitForCompletion(byOpenId.id, WAIT)).toMatchObject({ state: 'in_inbox' });
    expect(await publisher.waitForCompletion(byName.id, WAIT)).toMatchObject({ state: 'in_inbox' });
  });
});

describe('an account that was not connected yet', () => {
  it('has one lane for its name and its open_id from the moment on at which it is', async () => {
    const { publisher, folder, addAccount } = await startTestPipeline({ workers: false });
    const path = await makeVideo(folder, 1_000);
    const tooEarly = await publisher.enqueue(request('open-id-of-new', path));
    expect(tooEarly).toMatchObject({ account: 'open-id-of-new' });
    await addAccount('new', { openId: 'open-id-of-new' });
    expect(await publisher.enqueue(request('open-id-of-new', path))).toMatchObject({ account: 'new' });
  });
});

describe('a paused account', () => {
  it('holds its jobs with the reason and goes on when it is resumed', async () => {
    const { publisher, folder, vault, wakeLane, simulator } = await startTestPipeline();
    const path = await makeVideo(folder, 1_000);
    await vault.pause('acme');
    const job = await publisher.enqueue(request('acme', path));
    await eventually(async () => (await publisher.get(job.id))?.waitingFor === 'account_paused');
    expect(simulator.journal.requests({ endpoint: 'inbox_init' })).toHaveLength(0);
    await vault.resume('acme');
    await wakeLane('acme');
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ state: 'in_inbox' });
  });
});

describe('a removed account', () => {
  it('fails what waited for it to be resumed, as it fails any other job', async () => {
    const { publisher, folder, vault, wakeLane } = await startTestPipeline();
    const path = await makeVideo(folder, 1_000);
    await vault.pause('acme');
    const { id } = await publisher.enqueue(request('acme', path));
    await eventually(async () => (await publisher.get(id))?.waitingFor === 'account_paused');
    const accounts = createManagedAccounts({
      vault,
      wake: ({ account }) => wakeLane(account),
      revoke: async () => ({ revoked: true }),
    });
    expect(await accounts.remove('acme')).toEqual({ removed: 'acme', revoked: true });
    const ended = await publisher.waitForCompletion(id, WAIT);
    expect(ended).toMatchObject({ state: 'failed', failure: { code: 'INPUT_ACCOUNT_UNKNOWN' } });
  });
});

describe('an account that must be connected again', () => {
  it('keeps its jobs, says so once, and goes on by itself when it is connected', async () => {
    const { publisher, folder, vault, wakeLane, simulator, account, events } = await startTestPipeline();
    const path = await makeVideo(folder, 1_000);
    simulator.revokeGrant(account.openId);
    const jobs = [await publisher.enqueue(request('acme', path)), await publisher.enqueue(request('acme', path))];
    await eventually(async () => (await publisher.get(jobs[0]?.id ?? ''))?.waitingFor === 'reauthorization');
    const fresh = simulator.addAccount({ openId: account.openId });
    await vault.add({
      account: 'acme',
      openId: fresh.openId,
      accessToken: fresh.accessToken,
      refreshToken: fresh.refreshToken,
    });
    await wakeLane('acme');
    for (const { id } of jobs) expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'in_inbox' });
    const required = (await events()).filter(({ type }) => type === 'account.reauthorization_required');
    expect(required).toHaveLength(1);
  });
});

describe('how many uploads of an account run at the same time', () => {
  it('is said by the workers: programs that enqueue find it in Redis', async () => {
    const { app, folder, vault, redis, keys, deps } = await startTestPipeline({ uploadsPerAccount: 2 });
    await vault.pause('acme');
    const { target, config } = app;
    const { queuePrefix } = config;
    const other = createPublisherFromConfig({ redis: target, dataDir: '', cacheDir: '', queuePrefix });
    onTestFinished(() => other.close());
    const path = await makeVideo(folder, 1_000);
    const jobs = await other.enqueueBulk([1, 2, 3].map(() => request('acme', path)));
    expect(await redis.zcard(keys.laneAdmitted('acme'))).toBe(2);
    expect(await redis.zcard(keys.jobIndex('waiting:turn'))).toBe(1);
    expect(jobs.map(({ waitingFor }) => waitingFor)).toEqual(Array(3).fill('account_paused'));
    // As in a Redis that lost it.
    await redis.del(keys.laneLimit);
    await sweepOnce(deps);
    expect(await redis.get(keys.laneLimit)).toBe('2');
  });
});
