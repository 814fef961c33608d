import { expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

async function enqueue({ publisher, folder }: Pipeline): Promise<string> {
  const media = { type: 'file', path: await makeVideo(folder, 1_000) } as const;
  return (await publisher.enqueue({ account: 'acme', mode: 'inbox', media })).id;
}

const inits = ({ simulator }: Pipeline): number => simulator.journal.requests({ endpoint: 'inbox_init' }).length;

it('a pause of all publishing lets uploads under way finish, and holds all others until it is ended', async () => {
  const pipeline = await startTestPipeline({ workers: false });
  const { publisher, simulator } = pipeline;
  const workers = await pipeline.startWorkers();
  simulator.faults.add({ endpoint: 'upload', act: { kind: 'delay', ms: 1_000 } });
  const underWay = await enqueue(pipeline);
  await eventually(() => simulator.journal.requests({ endpoint: 'upload' }).length === 1);
  const until = new Date(Date.now() + 3_600_000).toISOString();
  expect(await publisher.pause({ reason: 'TikTok is down', until, by: 'ops' })).toMatchObject({ until, by: 'ops' });
  const held = [await enqueue(pipeline), await enqueue(pipeline)];
  expect((await publisher.waitForCompletion(underWay)).state).toBe('in_inbox');

  await eventually(async () => {
    expect((await pipeline.redis.hget(pipeline.keys.job(held[0] ?? ''), 'waitingFor')) ?? '').toBe('publishing_paused');
  });
  for (const id of held) {
    expect(await publisher.get(id)).toMatchObject({ waitingFor: 'publishing_paused', waitingUntil: until });
  }
  const found = await publisher.list({ waitingFor: 'publishing_paused', order: 'oldest' });
  expect(found.jobs.map(({ id }) => id)).toEqual(held);
  expect((await publisher.list({ waitingFor: 'turn' })).jobs).toEqual([]);
  expect((await publisher.counts()).waitingFor).toEqual({ publishing_paused: 2 });

  // Workers that start find the pause.
  await workers.close({ timeoutMs: 10_000 });
  await pipeline.startWorkers();
  expect(await publisher.paused()).toMatchObject({ reason: 'TikTok is down' });
  expect(inits(pipeline)).toBe(1);
  await publisher.resume();
  expect(await publisher.paused()).toBeNull();
  for (const id of held) expect((await publisher.waitForCompletion(id)).state).toBe('in_inbox');
  expect(inits(pipeline)).toBe(3);
});

it('a pause with an end ends by itself', async () => {
  const pipeline = await startTestPipeline();
  const { publisher, redis, keys } = pipeline;
  await publisher.pause({ until: new Date(Date.now() + 3_600_000).toISOString() });
  const id = await enqueue(pipeline);
  await eventually(async () => expect((await publisher.get(id))?.waitingFor).toBe('publishing_paused'));
  // An hour later.
  expect(await redis.pexpire(keys.publishingPause, 1)).toBe(1);
  expect((await publisher.waitForCompletion(id)).state).toBe('in_inbox');
});

it('a pause whose end is over is refused', async () => {
  const { publisher } = await startTestPipeline({ workers: false });
  await expect(publisher.pause({ until: '2026-01-01T00:00:00Z' })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    details: { problems: [{ path: 'until' }] },
  });
});

it('a job that is enqueued while it is held back says so at once, and goes on when that is over', async () => {
  const pipeline = await startTestPipeline({ workers: false });
  const { publisher } = pipeline;
  const media = { type: 'file', path: await makeVideo(pipeline.folder, 1_000) } as const;
  const request = { account: 'acme', mode: 'inbox', media } as const;
  const until = new Date(Date.now() + 3_600_000).toISOString();
  await publisher.pause({ until });
  const first = await publisher.enqueue(request);
  const second = await publisher.enqueue(request);
  for (const job of [first, second]) {
    expect(job).toMatchObject({ state: 'queued', waitingFor: 'publishing_paused', waitingUntil: until });
    expect(await publisher.get(job.id)).toMatchObject({ waitingFor: 'publishing_paused', waitingUntil: until });
  }
  const later = await publisher.enqueue({ ...request, scheduledAt: until });
  expect(later).toMatchObject({ state: 'scheduled', waitingFor: null });
  await publisher.accounts.pause('acme');
  await publisher.resume();
  const third = await publisher.enqueue(request);
  expect(third).toMatchObject({ waitingFor: 'account_paused', waitingUntil: null });
  await pipeline.startWorkers();
  await publisher.accounts.resume('acme');
  for (const { id } of [first, second, third]) expect((await publisher.waitForCompletion(id)).state).toBe('in_inbox');
});

it('a second pause changes what it names, and keeps since when and by whom', async () => {
  const { publisher } = await startTestPipeline({ workers: false });
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const first = await publisher.pause({ reason: 'TikTok is down', until, by: 'ops' });
  expect(await publisher.pause({ by: 'night shift' })).toEqual(first);
  expect(await publisher.pause({ reason: 'It is slow' })).toEqual({ ...first, reason: 'It is slow' });
  expect(await publisher.pause({ reason: null, until: null })).toEqual({ ...first, reason: null, until: null });
  expect(await publisher.paused()).toEqual({ ...first, reason: null, until: null });
});
