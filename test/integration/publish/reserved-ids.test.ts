import { QueueKeys } from 'bullmq';
import { describe, expect, it } from 'vitest';
import { queueFindings } from '../../../src/cli/doctor/queue-findings.ts';
import { isPlainJobId, QUEUE_KEY_NAMES } from '../../../src/ledger/queues/job-ids.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';
import { directPost } from '../../support/plain-entries.ts';
import { makeVideo } from '../../support/videos.ts';

const reserved = Object.keys(new QueueKeys().getKeys('')).filter((name) => name !== '');

/** Adds an entry under the id by BullMQ itself, which may fail on the way. */
async function addUnder({ queues, folder }: Pipeline, jobId: string, options: object = {}): Promise<void> {
  const request = directPost(await makeVideo(folder, 1_000));
  await queues.publish.add('publish', request, { ...options, jobId }).catch(() => undefined);
}

async function expectToWork({ publisher, folder }: Pipeline): Promise<void> {
  const { id } = await publisher.enqueue(directPost(await makeVideo(folder, 1_000), 'after all that'));
  expect(await publisher.waitForCompletion(id, { timeoutMs: 90_000 })).toMatchObject({ state: 'published' });
}

describe('ids that BullMQ uses itself', () => {
  it('are known, all of them, and refused', () => {
    expect([...QUEUE_KEY_NAMES].sort()).toEqual([...reserved].sort());
    expect(reserved.filter(isPlainJobId)).toEqual([]);
  });

  it('are refused where they would collide with ids of ours', () => {
    expect(['bull-7-abc', 'bull-7', 'order-recheck'].filter(isPlainJobId)).toEqual([]);
    expect(['bullet', 'bull-seven', 'recheck', 'order-recheck-2'].filter(isPlainJobId)).toHaveLength(4);
  });

  it.each(reserved)('do not stop the queue for long: %s', async (id) => {
    const pipeline = await startTestPipeline({ workers: false });
    await addUnder(pipeline, id);
    await addUnder(pipeline, id, { delay: 1 });
    await addUnder(pipeline, id, { priority: 1 });
    await pipeline.startWorkers();
    await eventually(async () => (await pipeline.queues.findReservedIds()).length === 0);
    await expectToWork(pipeline);
  });

  it('that are added while workers run are taken away by their sweep', async () => {
    const pipeline = await startTestPipeline();
    await addUnder(pipeline, 'wait');
    await addUnder(pipeline, 'active');
    await eventually(async () => (await pipeline.queues.findReservedIds()).length === 0);
    await expectToWork(pipeline);
  });

  it.each(['wait', 'active', 'delayed', 'completed', 'failed'])(
    'do not stop the queue for long as names of texts: %s',
    async (name) => {
      const pipeline = await startTestPipeline();
      await pipeline.redis.set(pipeline.queues.publish.toKey(name), 'text');
      await eventually(async () => (await pipeline.queues.findReservedIds()).length === 0);
      await expectToWork(pipeline);
    },
  );

  it.each([
    ['wait', 0],
    ['delayed', 1_500],
  ])('lose no entry that was added while %s had one, and added again', async (id, delay) => {
    const pipeline = await startTestPipeline({ workers: false });
    await addUnder(pipeline, id);
    const addedAt = Date.now();
    for (const _ of [1, 2]) await addUnder(pipeline, 'order-0', { delay });
    expect(await pipeline.queues.publish.getJobState('order-0').catch(() => 'unknown')).toBe('unknown');
    await pipeline.startWorkers();
    const job = await eventually(() => pipeline.publisher.waitForCompletion('order-0', { timeoutMs: 90_000 }));
    expect(job.state).toBe('published');
    expect(Date.parse(job.createdAt)).toBeGreaterThanOrEqual(addedAt + delay);
  });

  it('are reported by the doctor', async () => {
    const pipeline = await startTestPipeline({ workers: false });
    await addUnder(pipeline, 'wait');
    expect(await queueFindings(pipeline.redis, pipeline.queues)).toContainEqual({
      check: 'queues',
      level: 'problem',
      message: 'tiktok-publish stands still: a client added an entry with the id "wait", which BullMQ uses itself',
      fix: expect.stringContaining('Start a worker, which removes the entry.') as string,
    });
  });
});
