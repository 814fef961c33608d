import { afterEach, describe, expect, it, vi } from 'vitest';
import type { PublishRequest } from '../../../src/core/publish-request.ts';
import { DAY_MS } from '../../../src/core/units.ts';
import type { Queues } from '../../../src/ledger/queues/queues.ts';
import { cancelJob } from '../../../src/producers/change-job.ts';
import type { WorkerDeps } from '../../../src/workers/deps.ts';
import type { PublishQueueEntry } from '../../../src/workers/publish/claim-publish-entry.ts';
import { sweepOnce } from '../../../src/workers/runtime/sweep.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';
import {
  asStarted,
  countLive,
  directPost,
  jobIds,
  postsByTitle,
  startAndDie,
  sweepAMonthLater,
  sweepJob,
} from '../../support/plain-entries.ts';
import { makeVideo } from '../../support/videos.ts';

afterEach(() => void vi.restoreAllMocks());

const WAIT = { timeoutMs: 90_000 };

/** What BullMQ answers for an entry that has ended. */
async function resultOf(queues: Queues, entryId: string): Promise<unknown> {
  return await eventually(async () => {
    const job = await queues.publish.getJob(entryId);
    if (job?.returnvalue === null || job?.returnvalue === undefined) throw new Error('no result yet');
    return job.returnvalue as unknown;
  });
}

async function failureOf(queues: Queues, entryId: string): Promise<string> {
  return await eventually(async () => {
    const job = await queues.publish.getJob(entryId);
    if (job?.failedReason === undefined) throw new Error('it has not failed yet');
    return job.failedReason;
  });
}

describe('entries that BullMQ numbered', () => {
  it('end at once and name the jobs, which are published once, also when a month passes on the clock', async () => {
    const world = await startTestPipeline();
    const { publisher, queues, folder } = world;
    const path = await makeVideo(folder, 1_000);
    const titles = ['one', 'two', 'three', 'four'];
    await queues.publish.addBulk(titles.map((title) => ({ name: 'publish', data: directPost(path, title) })));
    const ids = await jobIds(world, titles.length);
    for (const id of ids) expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'published' });
    const results = await Promise.all(['1', '2', '3', '4'].map((number) => resultOf(queues, number)));
    expect(new Set(results)).toEqual(new Set(ids.map((id) => ({ id }))));
    const once = { one: 1, two: 1, three: 1, four: 1 };
    expect(postsByTitle(world)).toEqual(once);
    await eventually(async () => (await countLive(world)) === 0);

    for (const id of ids) await sweepAMonthLater(world, id);
    const realNow = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + 31 * DAY_MS);
    expect(await publisher.list()).toMatchObject({ jobs: [] });
    // BullMQ starts entries in their order: had one been left, it would run before this one is done.
    const last = await publisher.enqueue(directPost(path, 'last'));
    expect(await publisher.waitForCompletion(last.id, WAIT)).toMatchObject({ state: 'published' });
    expect(postsByTitle(world)).toEqual({ ...once, last: 1 });
  });

  it('are uploaded by one worker at a time, however long that takes and however often the sweep looks', async () => {
    const world = await startTestPipeline();
    const { publisher, queues, folder, simulator, redis, keys, deps } = world;
    simulator.faults.add({
      endpoint: 'upload',
      when: { times: 'always' },
      act: { kind: 'slow_read', bytesPerSecond: 5_000_000 },
    });
    await queues.publish.add('publish', directPost(await makeVideo(folder, 16_000_000)));
    const [id = ''] = await jobIds(world, 1);
    await eventually(async () => {
      await redis.zadd(keys.due, 'XX', 0, id);
      await sweepOnce(deps);
      return (await publisher.get(id))?.state === 'processing';
    });
    expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'published' });
    const puts = simulator.journal.requests({ endpoint: 'upload' });
    expect(puts).toHaveLength(3);
    expect(puts.some(({ chunk }) => chunk?.concurrent)).toBe(false);
    expect(simulator.journal.requests({ endpoint: 'video_init' })).toHaveLength(1);
  });

  it('have their outcome in tiktok-status under the id that they name', async () => {
    const { queues, folder } = await startTestPipeline();
    await queues.publish.add('publish', directPost(await makeVideo(folder, 1_000)));
    const result = await resultOf(queues, '1');
    const { id } = result as { id: string };
    await eventually(async () => (await queues.status.getJob(id))?.returnvalue?.state === 'published');
  });
});

/** The steps by which an entry is taken over, and where a worker may be killed. */
const STEPS = ['ledger.claim', 'ledger.create', 'queues.addPublishEntries', 'entry.replaceData'] as const;
const DEATHS = STEPS.flatMap((step) => [[step, 'before'] as const, [step, 'after'] as const]);

describe('a worker that is killed while it takes over a plain entry', () => {
  it.each(
    DEATHS.flatMap(([step, moment]) => [
      [moment, step, 'an id of its own', 'order-1'] as const,
      [moment, step, 'a number', undefined] as const,
    ]),
  )('%s %s loses none with %s and publishes it once, without the sweep', async (moment, step, _, jobId) => {
    const world = await startTestPipeline({ workers: false });
    const { queues, folder, publisher } = world;
    const job = await queues.publish.add(
      'publish',
      directPost(await makeVideo(folder, 1_000)),
      jobId === undefined ? {} : { jobId },
    );
    const { deps, entry } = dyingAt(step, moment, world.deps, asStarted(job));
    await startAndDie(world, entry, deps);
    // Its lock ran out: BullMQ starts the entry again.
    await world.startWorkers();
    const [id = ''] = await jobIds(world, 1);
    expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'published' });
    await eventually(async () => (await countLive(world)) === 0);
    expect(postsByTitle(world)).toEqual({ 'A title': 1 });
    expect(await publisher.list()).toMatchObject({ jobs: [{ id }] });
  });
});

/** Ports that answer nothing any more from a moment on. */
function dyingAt(
  step: (typeof STEPS)[number],
  moment: 'before' | 'after',
  deps: WorkerDeps,
  entry: PublishQueueEntry,
): { deps: WorkerDeps; entry: PublishQueueEntry } {
  let isDead = false;
  const around =
    <A extends unknown[], R>(name: string, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (name === step && moment === 'before') isDead = true;
      if (isDead) throw new Error('killed');
      const answer = await call(...args);
      if (name === step) isDead = true;
      if (isDead) throw new Error('killed');
      return answer;
    };
  const { ledger, queues } = deps;
  return {
    deps: {
      ...deps,
      ledger: {
        ...ledger,
        claim: around('ledger.claim', ledger.claim),
        create: around('ledger.create', ledger.create),
        commit: around('ledger.commit', ledger.commit),
      },
      queues: { ...queues, addPublishEntries: around('queues.addPublishEntries', queues.addPublishEntries) },
      lanes: { ...deps.lanes, enter: around('lanes.enter', deps.lanes.enter) },
    },
    entry: { ...entry, replaceData: around('entry.replaceData', entry.replaceData) },
  };
}

describe('an entry of a plain client with an id of its own', () => {
  it('holds a reference from its first start on, and no secret', async () => {
    const { queues, folder, publisher } = await startTestPipeline();
    const request = {
      ...directPost(await makeVideo(folder, 1_000)),
      callbackUrl: 'https://app.example.com/hook?key=planted',
    };
    await queues.publish.add('publish', request, { jobId: 'order-2' });
    await eventually(async () => (await publisher.get('order-2')) !== undefined);
    expect(await publisher.waitForCompletion('order-2', WAIT)).toMatchObject({ state: 'published' });
    const entry = await queues.publish.getJob('order-2');
    expect(entry?.data).toEqual({ version: 1, id: 'order-2', account: 'acme' });
  });

  it.each([
    ['as it was added', (request: PublishRequest) => request],
    ['sealed, as the version before left it', (_: PublishRequest, stored: PublishRequest) => stored],
  ])(
    'is known by its request, secrets and all, when its worker died after the record was made (%s)',
    async (_, left) => {
      const world = await startTestPipeline({ workers: false });
      const { queues, folder, publisher, requestSecrets } = world;
      const callbackUrl = 'https://app.example.com/hook?key=planted';
      const request = { ...directPost(await makeVideo(folder, 1_000)), callbackUrl };
      const job = await queues.publish.add('publish', request, { jobId: 'order-4' });
      const { deps, entry } = dyingAt('ledger.create', 'after', world.deps, asStarted(job));
      await startAndDie(world, entry, deps);
      const record = await world.deps.ledger.read('order-4');
      expect(await requestSecrets.open(record?.request ?? request, 'order-4')).toEqual(request);
      await job.updateData(left(request, record?.request ?? request));
      await world.startWorkers();
      expect(await publisher.waitForCompletion('order-4', WAIT)).toMatchObject({ state: 'published' });
      expect((await queues.publish.getJob('order-4'))?.data).toEqual({ version: 1, id: 'order-4', account: 'acme' });
      expect(postsByTitle(world)).toEqual({ 'A title': 1 });
    },
  );

  it('is refused when the id belongs to another request, and does nothing when to the same', async () => {
    const world = await startTestPipeline();
    const { queues, folder, publisher } = world;
    const request = directPost(await makeVideo(folder, 1_000));
    await queues.publish.add('publish', request, { jobId: 'order-3' });
    await eventually(async () => (await publisher.get('order-3'))?.state === 'published');
    for (const [title, expected] of [
      ['A title', undefined],
      ['Another title', /^IDEMPOTENCY_CONFLICT: /],
    ] as const) {
      await eventually(async () => (await queues.publish.remove('order-3')) === 1);
      await queues.publish.add('publish', directPost(request.media.path, title), { jobId: 'order-3' });
      if (expected === undefined) expect(await resultOf(queues, 'order-3')).toMatchObject({ state: 'published' });
      else expect(await failureOf(queues, 'order-3')).toMatch(expected);
    }
    expect(postsByTitle(world)).toEqual({ 'A title': 1 });
  });
});

describe('an entry without a record', () => {
  it('fails clearly in both queues, and nothing is sent', async () => {
    const { queues, simulator } = await startTestPipeline();
    await queues.addPublishEntries([{ id: 'gone', account: 'acme', priority: 0, delayMs: 0 }]);
    await queues.addStatusEntry({ version: 1, id: 'gone', account: 'acme' }, 0);
    expect(await failureOf(queues, 'gone')).toMatch(/^JOB_NOT_FOUND: .*no record of job gone/);
    await eventually(async () => /^JOB_NOT_FOUND: /.test((await queues.status.getJob('gone'))?.failedReason ?? ''));
    expect(simulator.journal.entries).toEqual([]);
  });
});

describe('a job that is scheduled beyond its retention', () => {
  const inFortyDays = () => new Date(Date.now() + 40 * DAY_MS).toISOString();

  it('keeps its record until it has ended, and is published at its time', async () => {
    const world = await startTestPipeline();
    const { publisher, folder, redis, keys, deps, queues } = world;
    const job = await publisher.enqueue({ ...directPost(await makeVideo(folder, 1_000)), scheduledAt: inFortyDays() });
    await sweepAMonthLater(world, job.id);
    expect(await publisher.get(job.id)).toMatchObject({ state: 'scheduled' });
    // Its time comes.
    const record = await deps.ledger.read(job.id);
    if (record === undefined) throw new Error('it has a record');
    await redis.hset(keys.job(job.id), { scheduledAt: Date.now() - 1 });
    await (await queues.publish.getJob(job.id))?.promote();
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ state: 'published' });
    await sweepAMonthLater(world, job.id);
    expect(await publisher.get(job.id)).toBeUndefined();
    expect(await countLive(world)).toBe(0);
  });

  it.each([
    [
      'by the library',
      async ({ publisher }: Pipeline, request: object) => void (await publisher.enqueue(request as never)),
    ],
    [
      'by plain BullMQ',
      async ({ queues }: Pipeline, request: object) => void (await queues.publish.add('publish', request)),
    ],
  ])('and cancelled by a process that died leaves no entry behind that runs (%s)', async (_, enqueue) => {
    const world = await startTestPipeline();
    const { publisher, folder, deps, queues } = world;
    await enqueue(world, { ...directPost(await makeVideo(folder, 1_000)), scheduledAt: inFortyDays() });
    const [id = ''] = await jobIds(world, 1);
    await eventually(async () => (await queues.publish.getJobState(id)) === 'delayed');
    const dead = () => Promise.reject(new Error('killed right after the ledger said cancelled'));
    await cancelJob(id, undefined, { ...enqueueDeps(deps), queues: { ...queues, removeEntries: dead } });
    expect(await publisher.get(id)).toMatchObject({ state: 'cancelled' });
    expect(await queues.publish.getJobState(id)).toBe('delayed');
    await sweepJob(world, id);
    expect(await queues.publish.getJobState(id)).toBe('unknown');
    await sweepAMonthLater(world, id);
    expect(await publisher.get(id)).toBeUndefined();
    // Not even one that somebody keeps could begin anew.
    await queues.addPublishEntries([{ id, account: 'acme', priority: 0, delayMs: 0 }]);
    expect(await failureOf(queues, id)).toMatch(/^JOB_NOT_FOUND: /);
    expect(postsByTitle(world)).toEqual({});
  });
});

describe('forgetting', () => {
  it('takes every entry of the job first, and waits for one that is being worked on', async () => {
    const world = await startTestPipeline({ workers: false });
    const { publisher, folder, queues, redis } = world;
    const job = await publisher.enqueue(directPost(await makeVideo(folder, 1_000)));
    await publisher.cancel(job.id);
    await queues.addPublishEntries([{ id: job.id, account: 'acme', priority: 0, delayMs: 1_000_000 }]);
    await queues.addStatusEntry({ version: 1, id: job.id, account: 'acme' }, 1_000_000);
    await queues.addRecheckEntry({ version: 1, id: job.id, account: 'acme' }, 1_000_000);
    const lock = `${queues.publish.toKey(job.id)}:lock`;
    await redis.set(lock, 'a worker');
    await sweepAMonthLater(world, job.id);
    expect(await publisher.get(job.id)).toMatchObject({ state: 'cancelled' });
    await redis.del(lock);
    await sweepAMonthLater(world, job.id);
    expect(await publisher.get(job.id)).toBeUndefined();
    expect(await countLive(world)).toBe(0);
  });

  it('waits for an entry that a plain client added under the id since, and that is told so by running', async () => {
    const world = await startTestPipeline({ workers: false });
    const { publisher, folder, queues, startWorkers } = world;
    const path = await makeVideo(folder, 1_000);
    const workers = await startWorkers();
    await queues.publish.add('publish', directPost(path), { jobId: 'order-5' });
    await eventually(async () => (await publisher.get('order-5'))?.state === 'published');
    await workers.close({ timeoutMs: 1_000 });
    await eventually(async () => (await queues.publish.remove('order-5')) === 1);
    await queues.publish.add('publish', directPost(path, 'Another'), { jobId: 'order-5', delay: 40 * DAY_MS });
    await sweepAMonthLater(world, 'order-5');
    expect(await publisher.get('order-5')).toMatchObject({ state: 'published' });
    await startWorkers();
    expect(await failureOf(queues, 'order-5')).toMatch(/^IDEMPOTENCY_CONFLICT: /);
    await sweepAMonthLater(world, 'order-5');
    expect(await publisher.get('order-5')).toBeUndefined();
    expect(postsByTitle(world)).toEqual({ 'A title': 1 });
  });

  it('takes a numbered entry, too, that a killed worker left in the middle of its start', async () => {
    const world = await startTestPipeline({ workers: false });
    const { queues, folder, publisher } = world;
    const job = await queues.publish.add('publish', directPost(await makeVideo(folder, 1_000)));
    const { deps, entry } = dyingAt('ledger.create', 'after', world.deps, asStarted(job));
    await startAndDie(world, entry, deps);
    await publisher.cancel(entry.id);
    await sweepAMonthLater(world, entry.id);
    expect(await publisher.get(entry.id)).toBeUndefined();
    expect(await countLive(world)).toBe(0);
  });
});

/** What a producer works with, of a worker's parts. */
function enqueueDeps(deps: WorkerDeps) {
  return {
    ...deps,
    reader: { read: () => Promise.resolve(undefined) },
    sealSecrets: () => Promise.reject(new Error('no request here holds a secret')),
  };
}
