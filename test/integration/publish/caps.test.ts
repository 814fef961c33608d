import { describe, expect, it } from 'vitest';
import type { PublishJob } from '../../../src/core/publish-job.ts';
import type { Publisher } from '../../../src/producers/publisher.ts';
import { sweepOnce } from '../../../src/workers/runtime/sweep.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

const WAIT = { timeoutMs: 90_000 };
const HOUR_MS = 3_600_000;
const post = (account: string, path: string) =>
  ({ account, mode: 'direct', media: { type: 'file', path }, post: { privacyLevel: 'SELF_ONLY' } }) as const;

async function waitingFor(publisher: Publisher, { id }: PublishJob, reason: string): Promise<PublishJob> {
  return await eventually(async () => {
    const job = await publisher.get(id);
    if (job?.waitingFor !== reason) throw new Error(`waits for ${job?.waitingFor}`);
    return job;
  });
}

describe("a creator's daily cap", () => {
  it('lets the job wait until the oldest post has aged out, and those behind it show the same reason', async () => {
    const { publisher, folder, simulator } = await startTestPipeline({ simulator: { limits: { postsPerDay: 1 } } });
    const path = await makeVideo(folder, 1_000);
    const first = await publisher.enqueue(post('acme', path));
    expect(await publisher.waitForCompletion(first.id, WAIT)).toMatchObject({ state: 'published' });
    const second = await waitingFor(publisher, await publisher.enqueue(post('acme', path)), 'daily_cap');
    const third = await waitingFor(publisher, await publisher.enqueue(post('acme', path)), 'daily_cap');
    expect(second).toMatchObject({ state: 'queued', attempts: 0, failure: null });
    // Our own count says a day; the cap may free sooner, so it is tried again within hours.
    expect(Date.parse(second.waitingUntil ?? '') - Date.now()).toBeGreaterThan(3 * HOUR_MS);
    expect(third.waitingUntil).toBe(second.waitingUntil);
    expect(simulator.journal.requests({ endpoint: 'video_init' })).toHaveLength(2);
  });
});

describe('a daily cap that our own posts reached', () => {
  it('shows when the oldest of them is a day old', async () => {
    const { publisher, folder, redis, keys } = await startTestPipeline({ simulator: { limits: { postsPerDay: 0 } } });
    const oldest = Date.now() - 10 * HOUR_MS;
    const posts = Array.from({ length: 15 }, (_, i) => oldest + i * 60_000);
    await redis.zadd(keys.directPosts('acme'), ...posts.flatMap((at) => [at, String(at)]));
    const path = await makeVideo(folder, 1_000);
    const job = await waitingFor(publisher, await publisher.enqueue(post('acme', path)), 'daily_cap');
    expect(Date.parse(job.waitingUntil ?? '')).toBe(oldest + 24 * HOUR_MS);
    const next = await waitingFor(publisher, await publisher.enqueue(post('acme', path)), 'daily_cap');
    await redis.hset(keys.laneDelay('acme'), 'until', Date.now() - 120_000);
    expect(await publisher.get(next.id)).toMatchObject({ waitingFor: 'turn', waitingUntil: null });
  });
});

describe("the app's cap on posting accounts", () => {
  it('holds new accounts back without asking TikTok again, and lets those inside go on', async () => {
    const { publisher, folder, simulator, addAccount } = await startTestPipeline({
      simulator: { limits: { activeUsersPerDay: 1 } },
    });
    const path = await makeVideo(folder, 1_000);
    const inside = await publisher.enqueue(post('acme', path));
    expect(await publisher.waitForCompletion(inside.id, WAIT)).toMatchObject({ state: 'published' });
    const [newcomer, another] = [await addAccount('newcomer'), await addAccount('another')];
    await waitingFor(publisher, await publisher.enqueue(post('newcomer', path)), 'active_user_cap');
    const last = await waitingFor(publisher, await publisher.enqueue(post('another', path)), 'active_user_cap');
    // There is one place a day, and a job may wait for a day in all: it does not fail before.
    expect(Date.parse(last.waitingUntil ?? '') - Date.parse(last.createdAt)).toBe(24 * HOUR_MS);
    expect(simulator.journal.requests({ endpoint: 'video_init', openId: newcomer.openId })).toHaveLength(1);
    expect(simulator.journal.requests({ endpoint: 'video_init', openId: another.openId })).toHaveLength(0);
    const again = await publisher.enqueue(post('acme', path));
    expect(await publisher.waitForCompletion(again.id, WAIT)).toMatchObject({ state: 'published' });
  });
});

describe("the app's cap, with more creators due than places", () => {
  it('lets those go on that have a place, others where there is one, and tells the rest on which day they go', async () => {
    const { publisher, folder, simulator, addAccount } = await startTestPipeline({
      maxWaitMs: 72 * HOUR_MS,
      simulator: { limits: { activeUsersPerDay: 10 } },
    });
    const path = await makeVideo(folder, 1_000);
    const active = Array.from({ length: 7 }, (_, number) => `active-${number}`);
    const others = Array.from({ length: 23 }, (_, number) => `new-${number}`);
    for (const account of [...active, ...others]) await addAccount(account);
    const first = await Promise.all(active.map((account) => publisher.enqueue(post(account, path))));
    for (const { id } of first) await publisher.waitForCompletion(id, WAIT);

    const due: PublishJob[] = [];
    for (const account of [...others, ...active]) due.push(await publisher.enqueue(post(account, path)));
    const jobs = await eventually(async () => {
      const seen = await Promise.all(due.map(async ({ id }) => await publisher.get(id)));
      const settled = seen.filter((job) => job?.state === 'published' || job?.waitingFor === 'active_user_cap');
      if (settled.length < due.length) throw new Error(`${settled.length} of ${due.length}`);
      return settled.filter((job) => job !== undefined);
    });
    const published = jobs.filter(({ state }) => state === 'published').map(({ account }) => account);
    expect(published.filter((account) => account.startsWith('active'))).toHaveLength(7);
    expect(published.filter((account) => account.startsWith('new'))).toHaveLength(3);
    const hoursUntil = jobs.flatMap(({ waitingUntil }) =>
      waitingUntil === null ? [] : [Math.round((Date.parse(waitingUntil) - Date.now()) / HOUR_MS)],
    );
    // Ten places a day; who asked before an older job is told an earlier time, by as many places as are asked for at once.
    expect(hoursUntil.filter((hours) => hours === 24 || hours === 48)).toHaveLength(20);
    expect(Math.abs(hoursUntil.filter((hours) => hours === 24).length - 10)).toBeLessThanOrEqual(4);
    // Only those ran into it that were sent before the cap was known.
    const refused = simulator.journal.requests({ endpoint: 'video_init', code: 'reached_active_user_cap' });
    expect(refused.length).toBeLessThan(20);
  });
});

describe('a banned account', () => {
  it('stops its lane: the job that met it fails, the others wait for a person', async () => {
    const { publisher, folder, simulator, account, vault } = await startTestPipeline();
    const path = await makeVideo(folder, 1_000);
    simulator.updateAccount(account.openId, { banned: true });
    const jobs = [await publisher.enqueue(post('acme', path)), await publisher.enqueue(post('acme', path))];
    const [first, second] = jobs;
    if (first === undefined || second === undefined) throw new Error('two jobs were enqueued');
    expect(await publisher.waitForCompletion(first.id, WAIT)).toMatchObject({
      state: 'failed',
      failure: { code: 'TIKTOK_USER_BANNED' },
    });
    await waitingFor(publisher, second, 'account_paused');
    expect(await vault.get('acme')).toMatchObject({ status: 'paused' });
    expect(simulator.journal.requests({ endpoint: 'video_init' })).toHaveLength(1);
  });
});

describe('a job that may not wait for long', () => {
  it('fails with the reason when a cap would take longer', async () => {
    const { publisher, folder } = await startTestPipeline({
      maxWaitMs: 1_000,
      simulator: { limits: { postsPerDay: 0 } },
    });
    const job = await publisher.enqueue(post('acme', await makeVideo(folder, 1_000)));
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({
      state: 'failed',
      failure: { code: 'TIKTOK_DAILY_POST_CAP', retryable: true },
    });
  });

  it('fails when its account stays paused, and its entry says why', async () => {
    const { publisher, folder, vault, deps, queues, redis, keys } = await startTestPipeline({ maxWaitMs: 1 });
    await vault.pause('acme');
    const job = await publisher.enqueue(post('acme', await makeVideo(folder, 1_000)));
    await waitingFor(publisher, job, 'account_paused');
    await redis.zadd(keys.due, 0, job.id);
    await sweepOnce(deps);
    expect(await publisher.get(job.id)).toMatchObject({ state: 'failed', failure: { code: 'AUTH_ACCOUNT_PAUSED' } });
    await eventually(async () => (await queues.publish.getJobState(job.id)) === 'failed');
  });

  it('fails when all publishing stays paused', async () => {
    const { publisher, folder, deps, redis, keys } = await startTestPipeline({ maxWaitMs: 1 });
    await publisher.pause({ reason: 'TikTok is down' });
    const job = await publisher.enqueue(post('acme', await makeVideo(folder, 1_000)));
    await waitingFor(publisher, job, 'publishing_paused');
    await redis.zadd(keys.due, 0, job.id);
    await sweepOnce(deps);
    expect(await publisher.get(job.id)).toMatchObject({
      state: 'failed',
      failure: { code: 'CONFIG_PUBLISHING_PAUSED', retryable: true },
    });
  });
});
