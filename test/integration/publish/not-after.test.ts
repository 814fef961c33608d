import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, type PipelineOptions, startTestPipeline } from '../../support/pipeline.ts';
import { directPost, sweepJob } from '../../support/plain-entries.ts';
import { makeVideo } from '../../support/videos.ts';

const WAIT = { timeoutMs: 90_000 };
/** Long enough for a job to be accepted on a busy machine. */
const SOON_MS = 4_000;
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const inits = ({ simulator }: Pipeline) => simulator.journal.requests({ endpoint: 'video_init' }).length;

async function startWith(options: PipelineOptions = {}) {
  const pipeline = await startTestPipeline(options);
  const path = await makeVideo(pipeline.folder, 1_000);
  return { ...pipeline, pipeline, request: (title: string) => directPost(path, title) };
}

describe('a job that cannot begin by its notAfter', () => {
  const holdUps: Record<string, { options?: PipelineOptions; hold: (pipeline: Pipeline) => Promise<unknown> }> = {
    account_paused: { hold: ({ vault }) => vault.pause('acme') },
    publishing_paused: { hold: ({ publisher }) => publisher.pause() },
    daily_cap: { options: { simulator: { limits: { postsPerDay: 0 } } }, hold: async () => undefined },
  };

  it.each(Object.entries(holdUps))('fails while it waits for %s, and never goes out', async (waitingFor, how) => {
    const { pipeline, publisher, request, vault, wakeLane, simulator } = await startWith(how.options);
    await how.hold(pipeline);
    const { id } = await publisher.enqueue({ ...request('late'), notAfter: inMs(SOON_MS) });
    await eventually(async () => expect((await publisher.get(id))?.waitingFor).toBe(waitingFor));
    const job = await publisher.waitForCompletion(id, WAIT);
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'JOB_OVERDUE' }, waitingFor: null });
    expect(job.failure?.message).toContain(job.request.notAfter);
    expect((await pipeline.events()).at(-1)).toMatchObject({ type: 'publish.failed', data: { failure: job.failure } });
    await vault.resume('acme');
    await publisher.resume();
    await wakeLane('acme');
    expect(simulator.journal.publishes()).toEqual([]);
    // Another init would be no better.
    await expect(publisher.retry(id)).rejects.toMatchObject({
      code: 'JOB_NOT_RETRYABLE',
      message: expect.stringContaining('notAfter is over'),
    });
  });

  it('fails in its lane behind another job, and the next one takes its turn', async () => {
    const { pipeline, publisher, request, vault, wakeLane } = await startWith();
    await vault.pause('acme');
    const first = await publisher.enqueue(request('first'));
    const late = await publisher.enqueue({ ...request('late'), notAfter: inMs(SOON_MS) });
    const last = await publisher.enqueue(request('last'));
    expect(late.waitingFor).toBe('account_paused');
    expect(await publisher.waitForCompletion(late.id, WAIT)).toMatchObject({ failure: { code: 'JOB_OVERDUE' } });
    await vault.resume('acme');
    await wakeLane('acme');
    for (const { id } of [first, last])
      expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'published' });
    expect(inits(pipeline)).toBe(2);
  });

  it('fails when its worker comes too late, also as an entry of a plain client', async () => {
    const { pipeline, publisher, request, queues, startWorkers } = await startWith({ workers: false });
    const { id } = await publisher.enqueue({ ...request('late'), scheduledAt: inMs(0), notAfter: inMs(SOON_MS) });
    const notAfter = inMs(SOON_MS);
    await queues.publish.add('publish', { ...request('plain'), notAfter }, { jobId: 'plain' });
    await eventually(() => Date.now() > Date.parse(notAfter));
    await startWorkers();
    await eventually(async () => (await publisher.get('plain')) !== undefined);
    for (const each of [id, 'plain'])
      expect(await publisher.waitForCompletion(each, WAIT)).toMatchObject({ failure: { code: 'JOB_OVERDUE' } });
    expect(inits(pipeline)).toBe(0);
  });
});

describe('notAfter', () => {
  it('does not end a job that has begun in time', async () => {
    const delayMs = 2 * SOON_MS;
    const retries = { maxAttempts: 4, baseMs: delayMs, factor: 1, maxMs: delayMs };
    const { pipeline, publisher, request, simulator } = await startWith({ retries });
    simulator.faults.add({ endpoint: 'upload', act: { kind: 'status', httpStatus: 500 } });
    const notAfter = inMs(SOON_MS);
    const { id } = await publisher.enqueue({ ...request('in time'), notAfter });
    await eventually(async () => expect((await publisher.get(id))?.attempts).toBe(1));
    await eventually(() => Date.now() > Date.parse(notAfter));
    await sweepJob(pipeline, id);
    expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'published' });
    expect(inits(pipeline)).toBe(1);
  });

  it('is refused where it is over, or before the start', async () => {
    const { publisher, request } = await startWith({ workers: false });
    const refusals = [
      [{ notAfter: inMs(-1_000) }, 'expected a time that is to come'],
      [{ notAfter: inMs(60_000), scheduledAt: inMs(120_000) }, 'expected a time after scheduledAt'],
      [{ notAfter: 'tomorrow' }, 'expected an ISO 8601 time'],
    ] as const;
    for (const [times, message] of refusals) {
      await expect(publisher.enqueue({ ...request('wrong'), ...times })).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        details: { problems: [{ path: 'notAfter', message: expect.stringContaining(message) }] },
      });
    }
  });

  it('is moved and removed with the job, and held against its start', async () => {
    const { publisher, request, redis, keys } = await startWith({ workers: false });
    const { id } = await publisher.enqueue({ ...request('later'), scheduledAt: inMs(60_000), notAfter: inMs(90_000) });
    const notAfter = inMs(120_000);
    const moved = await publisher.update(id, { notAfter }, { by: 'ann' });
    expect(moved.request.notAfter).toBe(notAfter);
    expect(moved.timeline.at(-1)).toMatchObject({ event: 'updated', notAfter, by: 'ann' });
    await expect(publisher.update(id, { scheduledAt: inMs(240_000) })).rejects.toThrow(/after scheduledAt/);
    await expect(publisher.update(id, { notAfter: inMs(-1) })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect((await publisher.update(id, { scheduledAt: null })).state).toBe('queued');
    expect(Number(await redis.zscore(keys.due, id))).toBeLessThanOrEqual(Date.parse(notAfter));
    expect((await publisher.update(id, { notAfter: null })).request.notAfter).toBeUndefined();
  });
});
