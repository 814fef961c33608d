import { performance } from 'node:perf_hooks';
import { type Processor, Queue } from 'bullmq';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { WatchedWorker } from '../../../src/workers/runtime/watched-worker.ts';
import { eventually } from '../../support/eventually.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

afterEach(() => vi.restoreAllMocks());

/** Lets a minute pass for those who look at the clock; timers go on as ever. */
function passMinute(): void {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + 60_000);
}

/** A worker with one place, in which a job stays until it is told to end. */
async function startBusyWorker() {
  const options = { connection: { url: testRedisUrl() }, prefix: freshPrefix() };
  const queue = new Queue('busy', options);
  onTestFinished(() => queue.close());
  let end = (): void => undefined;
  const job = new Promise<void>((resolve) => {
    end = resolve;
  });
  const worker = new WatchedWorker('busy', () => job, { ...options, concurrency: 1, lockDuration: 1_000 });
  onTestFinished(async () => {
    end();
    await worker.close();
  });
  await queue.add('job', {});
  await eventually(() => !worker.isIdle);
  return { worker, end };
}

it('a worker whose only place is taken is ready while its lock is renewed, although it fetches nothing', async () => {
  const { worker } = await startBusyWorker();
  expect(worker.isReady).toBe(true);
  passMinute();
  expect(worker.isReady).toBe(false);
  await eventually(() => worker.isReady);
  expect(worker.isIdle).toBe(false);
});

it('a worker tells when no job runs any more', async () => {
  const { worker, end } = await startBusyWorker();
  const idle = worker.untilIdle();
  end();
  await idle;
  expect(worker.isIdle).toBe(true);
});

it('a worker tells each reason of an outage once, and again in the next', async () => {
  const { worker, end } = await startBusyWorker();
  const reasons = ['Connection is closed.', 'connect ECONNREFUSED 127.0.0.1:6379'];
  expect([...reasons, ...reasons].map((reason) => worker.isNewTrouble(reason))).toEqual([true, true, false, false]);
  end();
  await eventually(() => worker.isNewTrouble('Connection is closed.'));
});

it('the end of a run that had lost its lock leaves that of the run after it, in the same process', async () => {
  const options = { connection: { url: testRedisUrl() }, prefix: freshPrefix() };
  const queue = new Queue('lost', options);
  onTestFinished(() => queue.close());
  const runs: { readonly signal: AbortSignal | undefined; readonly end: () => void }[] = [];
  const process: Processor = async (_job, _token, signal) =>
    await new Promise<void>((resolve) => void runs.push({ signal, end: resolve }));
  const locks = { lockDuration: 1_000, stalledInterval: 200, maxStalledCount: 100 };
  const worker = new WatchedWorker('lost', process, { ...options, ...locks, concurrency: 3 });
  worker.on('error', () => undefined);
  onTestFinished(async () => {
    for (const { end } of runs) end();
    await worker.close();
  });
  const { id = '' } = await queue.add('job', {});
  await eventually(() => runs.length === 1);
  const client = await queue.getBackend().client;
  await client.del(`${queue.toKey(id)}:lock`);
  await eventually(() => runs.length === 2);
  expect(runs[0]?.signal?.reason).toBe('lock lost');
  runs[0]?.end();
  let renewals = 0;
  worker.on('locksRenewed', () => {
    renewals += 1;
  });
  // A lock that nobody renews is over after two renewals.
  await eventually(() => renewals >= 4 || runs.length > 2);
  expect(runs).toHaveLength(2);
  expect(runs[1]?.signal?.aborted).toBe(false);
});
