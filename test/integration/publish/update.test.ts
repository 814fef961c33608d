import { describe, expect, it } from 'vitest';
import type { PublishJob } from '../../../src/core/publish-job.ts';
import { HOUR_MS } from '../../../src/core/units.ts';
import { claimJob, OwnedJob } from '../../../src/workers/owned-job.ts';
import { sweepOnce } from '../../../src/workers/runtime/sweep.ts';
import { eventually } from '../../support/eventually.ts';
import { mediaFixture } from '../../support/media-fixtures.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';
import { directPost, postsByTitle } from '../../support/plain-entries.ts';
import { makeVideo } from '../../support/videos.ts';

const WAIT = { timeoutMs: 90_000 };
const inHours = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toISOString();
const updates = ({ timeline }: PublishJob) => timeline.filter(({ event }) => event === 'updated');

/** When the job's entry is to run (ms since the epoch). */
async function entryRunsAt({ queues }: Pipeline, id: string): Promise<number> {
  const entry = await queues.publish.getJob(id);
  if (entry === undefined || !(await entry.isDelayed())) throw new Error('it is not delayed');
  return entry.timestamp + entry.delay;
}

describe('a change of a scheduled job', () => {
  it('moves its time, its entry and its next look, later and earlier', async () => {
    const pipeline = await startTestPipeline();
    const { publisher, folder, redis, keys } = pipeline;
    const request = { ...directPost(await makeVideo(folder, 1_000)), scheduledAt: inHours(1) };
    const { id } = await publisher.enqueue(request, { idempotencyKey: 'k1' });
    for (const hours of [5, 2]) {
      const scheduledAt = inHours(hours);
      const job = await publisher.update(id, { scheduledAt });
      expect(job).toMatchObject({ state: 'scheduled', scheduledAt });
      expect(updates(job).at(-1)).toMatchObject({ scheduledAt });
      const at = Date.parse(scheduledAt);
      expect(Math.abs((await entryRunsAt(pipeline, id)) - at)).toBeLessThan(60_000);
      expect(Math.abs(Number(await redis.zscore(keys.due, id)) - at)).toBeLessThan(60_000);
    }
    expect(await publisher.enqueue(request, { idempotencyKey: 'k1' })).toMatchObject({ id, created: false });
  });

  it('lets it start at once, with what was changed of its post', async () => {
    const pipeline = await startTestPipeline();
    const { publisher, folder } = pipeline;
    const { id } = await publisher.enqueue({
      ...directPost(await makeVideo(folder, 1_000), 'old'),
      scheduledAt: inHours(1),
    });
    await publisher.update(id, { post: { title: 'new', disableDuet: true } });
    expect(await publisher.update(id, { scheduledAt: null })).toMatchObject({ scheduledAt: null });
    const ended = await publisher.waitForCompletion(id, WAIT);
    expect(ended.state).toBe('published');
    expect(updates(ended)).toMatchObject([{ post: ['title', 'disableDuet'] }, { scheduledAt: null }]);
    expect(postsByTitle(pipeline)).toEqual({ new: 1 });
  });

  it('is nothing where it changes nothing', async () => {
    const { publisher, folder } = await startTestPipeline();
    const request = { ...directPost(await makeVideo(folder, 1_000), 'same'), scheduledAt: inHours(1) };
    const { id } = await publisher.enqueue(request);
    const same = { scheduledAt: request.scheduledAt, priority: 0, post: { title: 'same', disableDuet: null } };
    expect(updates(await publisher.update(id, same))).toEqual([]);
    expect(updates(await publisher.update(id, {}))).toEqual([]);
  });

  it('is refused where the whole would not be accepted', async () => {
    const { publisher, folder } = await startTestPipeline();
    const { id } = await publisher.enqueue({ ...directPost(await makeVideo(folder, 1_000)), scheduledAt: inHours(1) });
    await expect(publisher.update(id, { post: { privacyLevel: null } })).rejects.toThrow(/post.privacyLevel/);
    await expect(publisher.update(id, { scheduledAt: inHours(-1) })).rejects.toMatchObject({
      code: 'INPUT_SCHEDULED_IN_PAST',
    });
    await expect(publisher.update(id, { media: {} } as object)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(publisher.update('nobody', {})).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });
});

describe('a change of a queued job', () => {
  it('moves it in its lane by its new priority', async () => {
    const pipeline = await startTestPipeline();
    const { publisher, folder, vault, wakeLane, simulator, queues } = pipeline;
    await vault.pause('acme');
    const path = await makeVideo(folder, 1_000);
    const enqueue = (title: string) => publisher.enqueue({ ...directPost(path, title), priority: 5 });
    const [first, second, third] = [await enqueue('first'), await enqueue('second'), await enqueue('third')];
    await publisher.update(third.id, { priority: 1 });
    await publisher.update(second.id, { priority: 9 });
    const entries = await Promise.all([second, third].map(({ id }) => queues.publish.getJob(id)));
    expect(entries.map((entry) => entry?.priority)).toEqual([9, 1]);
    await vault.resume('acme');
    await wakeLane('acme');
    for (const { id } of [first, second, third]) await publisher.waitForCompletion(id, WAIT);
    expect(simulator.journal.publishes().map(({ title }) => title)).toEqual(['first', 'third', 'second']);
  });

  it('takes it out of its lane until its new time, and the next begins', async () => {
    const pipeline = await startTestPipeline({ simulator: { limits: { postsPerDay: 0 } } });
    const { publisher, folder, addAccount, simulator } = pipeline;
    await addAccount('other');
    const path = await makeVideo(folder, 1_000);
    const { id } = await publisher.enqueue(directPost(path, 'waits'));
    const next = await publisher.enqueue(directPost(path, 'next'));
    await eventually(async () => (await publisher.get(id))?.waitingFor === 'daily_cap');
    const scheduledAt = inHours(3);
    const job = await publisher.update(id, { scheduledAt });
    expect(job).toMatchObject({ state: 'scheduled', scheduledAt, waitingFor: null, waitingUntil: null });
    expect(Math.abs((await entryRunsAt(pipeline, id)) - Date.parse(scheduledAt))).toBeLessThan(60_000);
    await eventually(() => simulator.journal.requests({ endpoint: 'video_init' }).length === 2);
    await eventually(async () => expect(await publisher.get(next.id)).toMatchObject({ waitingFor: 'daily_cap' }));
  });

  it('is held against what the creator may post, also where the init was booked before', async () => {
    const pipeline = await startTestPipeline({ preflight: 'refuse', workers: false });
    const { publisher, deps, simulator, startWorkers, addAccount } = pipeline;
    await addAccount('private', { privacyLevelOptions: ['FOLLOWER_OF_CREATOR', 'SELF_ONLY'] });
    const inits = { account: 'private', endpoint: 'direct_init', limit: 6, windowMs: 5_000 } as const;
    for (let init = 0; init < 6; init += 1) await deps.reservations.reserve(inits);
    const post = { privacyLevel: 'SELF_ONLY' } as const;
    const media = { type: 'file', path: mediaFixture('h264.mp4') } as const;
    const { id } = await publisher.enqueue({ account: 'private', mode: 'direct', media, post });
    await startWorkers();
    await eventually(async () => (await publisher.get(id))?.waitingFor === 'rate_limit');
    await publisher.update(id, { post: { privacyLevel: 'PUBLIC_TO_EVERYONE' } });
    await (await pipeline.queues.publish.getJob(id))?.promote();
    expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ failure: { code: 'TIKTOK_PRIVACY_MISMATCH' } });
    expect(simulator.journal.requests({ endpoint: 'video_init' })).toEqual([]);
  });

  it('stops a worker that is about to begin it', async () => {
    const pipeline = await startTestPipeline({ workers: false });
    const { publisher, folder, deps, startWorkers } = pipeline;
    const { id } = await publisher.enqueue(directPost(await makeVideo(folder, 1_000), 'old'));
    const owned = await claimJob(id, { entry: 'of a worker', start: 1 }, deps.ledger);
    if (!(owned instanceof OwnedJob)) throw new Error('nobody else runs it');
    await publisher.update(id, { post: { title: 'new' } });
    const init = owned.commit({
      to: 'uploading',
      cause: { event: 'init_sent', source: 'file_upload' },
      patch: { session: { kind: 'init_sent', intendedAt: Date.now() }, initCount: 1 },
    });
    await expect(init).rejects.toMatchObject({ code: 'INTERNAL_OVERTAKEN' });
    await startWorkers();
    expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'published' });
    expect(postsByTitle(pipeline)).toEqual({ new: 1 });
  });

  it('is in the post or refused, whenever it comes while workers begin jobs', async () => {
    const pipeline = await startTestPipeline({ uploadsPerAccount: 4 });
    const { publisher, folder, addAccount } = pipeline;
    const path = await makeVideo(folder, 1_000);
    const outcomes = await Promise.all(
      Array.from({ length: 16 }, async (_, number) => {
        const account = `creator-${number}`;
        await addAccount(account);
        const { id } = await publisher.enqueue({ ...directPost(path, `old ${number}`), account });
        // Looks that take longer and longer, so that some changes come too late.
        for (let look = 0; look < number * 2; look += 1) await publisher.get(id);
        const isChanged = await publisher.update(id, { post: { title: `new ${number}` } }).then(
          () => true,
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'JOB_NOT_CHANGEABLE' });
            return false;
          },
        );
        expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'published' });
        return `${isChanged ? 'new' : 'old'} ${number}`;
      }),
    );
    expect(postsByTitle(pipeline)).toEqual(Object.fromEntries(outcomes.map((title) => [title, 1])));
  });

  it('leaves no place in its lane behind, also when its worker was about to wait there', async () => {
    const { publisher, folder, deps, redis, keys } = await startTestPipeline({ workers: false });
    const path = await makeVideo(folder, 1_000);
    const [first, second] = [await publisher.enqueue(directPost(path)), await publisher.enqueue(directPost(path))];
    await publisher.update(first.id, { scheduledAt: inHours(1) });
    expect(await deps.lanes.admitted('acme')).toEqual([second.id]);
    await publisher.update(second.id, { scheduledAt: inHours(1) });
    const third = await publisher.enqueue(directPost(path));
    await deps.lanes.leave('acme', third.id);
    await deps.lanes.enter({ id: first.id, account: 'acme', priority: 0, since: Date.now() });
    await deps.lanes.enter({ id: third.id, account: 'acme', priority: 0, since: Date.now() });
    await redis.zadd(keys.lanes, 0, 'acme');
    await sweepOnce(deps);
    expect(await deps.lanes.admitted('acme')).toEqual([third.id]);
  });
});

describe('a job that has begun', () => {
  it('is not changed any more, and neither is one that has ended', async () => {
    const { publisher, folder } = await startTestPipeline({ simulator: { processingMs: 2_000 } });
    const { id } = await publisher.enqueue(directPost(await makeVideo(folder, 1_000)));
    await eventually(async () => (await publisher.get(id))?.state === 'processing');
    const change = () => publisher.update(id, { post: { title: 'too late' } });
    await expect(change()).rejects.toMatchObject({
      code: 'JOB_NOT_CHANGEABLE',
      message: /has begun: it is processing/,
    });
    await publisher.waitForCompletion(id, WAIT);
    await expect(change()).rejects.toThrow(/has ended: it is published/);
  });
});
