import { MINUTE_MS, SECOND_MS } from '../../src/core/units.ts';
import type { Benchmark, Row } from '../measure.ts';
import { openProduct } from '../product.ts';
import { enqueueMany } from './enqueue-many.ts';
import { delayRows, startDelays } from './starts.ts';

/* 100,000 jobs of as many accounts, planned evenly over one minute, beside a tenth and a hundredth of them. */

const JOBS = 100_000;
/** For a bulk of 1,000 to be accepted on a busy machine. */
const ENQUEUE_MS = 1_500;
/** For a worker to start. */
const LEAD_MS = 3_000;
const GRACE_MS = 30_000;

async function measure(jobs: number, spanMs: number, note: (text: string) => void): Promise<Row[]> {
  const product = await openProduct({ pollMs: [600_000], pollsUntilDone: 1 });
  try {
    const startsAt = Date.now() + LEAD_MS + Math.ceil(jobs / 1_000) * ENQUEUE_MS;
    const dueAt = (number: number) => Math.floor(startsAt + (number * spanMs) / jobs);
    await enqueueMany(product, {
      to: jobs,
      request: (n) => ({ ...product.request(`creator-${n}`), scheduledAt: new Date(dueAt(n)).toISOString() }),
    });
    if (Date.now() > startsAt) note(`enqueueing took ${Date.now() - startsAt} ms too long`);
    const worker = await product.startWorker();
    await worker.ask('start', ['upload', 'status']);
    const [before, cpuBefore] = [await product.redis.use(), await worker.ask<number>('cpuMs')];
    const wantedAt = new Map(Array.from({ length: jobs }, (_, n) => [`creator-${n}`, dueAt(n)]));
    const delays = await startDelays(product, wantedAt, { givenUpAt: startsAt + spanMs + GRACE_MS });
    const [after, cpuAfter] = [await product.redis.use(), await worker.ask<number>('cpuMs')];
    const each = (cost: number): string => (cost / delays.length).toPrecision(3);
    note(
      `${delays.length} of ${jobs} begun; for each ${each(cpuAfter - cpuBefore)} ms of the worker's CPU, ${each(after.cpuMs - before.cpuMs)} ms and ${each(after.commands - before.commands)} commands of Redis`,
    );
    const rate = jobs / (spanMs / SECOND_MS);
    return [
      ...delayRows(`scheduled.${jobs}`, `lateness of ${jobs} jobs in one minute (${rate.toFixed(1)} a second)`, delays),
      {
        ...{ id: `big.scheduled.${jobs}.started`, what: `of ${jobs} jobs, begun 30 s after the minute`, unit: 'jobs' },
        product: [delays.length],
      },
    ];
  } finally {
    await product.close();
  }
}

export const scheduledBenchmark: Benchmark = {
  name: 'scheduled',
  async run({ scale, note }) {
    const rows: Row[] = [];
    const spanMs = MINUTE_MS * Math.min(1, 10 * scale);
    for (const share of [0.01, 0.1, 1]) rows.push(...(await measure(Math.ceil(share * scale * JOBS), spanMs, note)));
    return rows;
  },
};
