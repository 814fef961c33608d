import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark, Row } from '../measure.ts';
import { QUEUE_PREFIX } from '../product.ts';
import { burdenRows, measureBurden, openBig, startAttendants, timeOf } from './burden.ts';
import { enqueueMany } from './enqueue-many.ts';
import { delayRows, enqueueOthers, startDelays } from './starts.ts';

/*
 * A million jobs that wait for TikTok's limits: 20 accounts of 50,000 jobs each. What one takes, what so many cost while
 * nothing happens, and how soon jobs of other accounts start beside them.
 */

const JOBS = 1_000_000;
const ACCOUNTS = 20;
const OTHERS = 1_000;
const OTHERS_PER_SECOND = 20;
const GIVE_UP_MS = 60_000;

export const queuedBenchmark: Benchmark = {
  name: 'queued',
  async run({ scale, note }) {
    const product = await openBig(scale);
    try {
      const { redis, request } = product;
      const sizes = [0.001, 0.1, 1].map((share) => Math.ceil(share * scale * JOBS));
      const attendants = await startAttendants(product, scale);
      const rows: Row[] = [];
      const small: { size: number; burden: Awaited<ReturnType<typeof measureBurden>> }[] = [];
      const empty = await redis.use();
      let from = 0;
      for (const size of sizes) {
        const before = await redis.use();
        const ms = await timeOf(() =>
          enqueueMany(product, { from, to: size, request: (n) => request(`creator-${n % ACCOUNTS}`) }),
        );
        const after = await redis.use();
        const added = size - from;
        from = size;
        const sized = { size, burden: await measureBurden(product, attendants, note) };
        small.push(sized);
        note(`${size} jobs queued, ${Math.round((added / ms) * 1_000)} a second`);
        rows.push(
          figure(`rate.${size}`, `enqueue in bulk up to ${size} jobs`, '/s', (added / ms) * 1_000),
          figure(
            `bytes.${size}`,
            `Redis memory per job, ${size} jobs`,
            'bytes',
            perJob('memoryBytes', empty, after, size),
          ),
          figure(
            `cpu.${size}`,
            `Redis CPU per enqueued job, up to ${size}`,
            'ms',
            perJob('cpuMs', before, after, added),
          ),
          ...(small[0] === undefined || small[0] === sized ? [] : burdenRows('jobs', sized, small[0])),
        );
      }
      await (await product.startWorker()).ask('start', ['upload', 'status']);
      // What every account may post at once comes first.
      while ((await redis.client.llen(`${QUEUE_PREFIX}:tiktok-publish:wait`)) > 0) await sleep(200);
      const others = await enqueueOthers(product, {
        ...{ count: Math.ceil(OTHERS * scale), perSecond: OTHERS_PER_SECOND, of: 'other' },
      });
      const delays = await startDelays(product, others, { givenUpAt: Date.now() + GIVE_UP_MS });
      note(`${delays.length} of ${others.size} jobs of others started`);
      return [...rows, ...delayRows('queued.others', `start of others beside ${from} queued jobs`, delays)];
    } finally {
      await product.close();
    }
  },
};

type Use = Readonly<Record<'memoryBytes' | 'cpuMs', number>>;

function perJob(what: keyof Use, before: Use, after: Use, jobs: number): number {
  return (after[what] - before[what]) / jobs;
}

function figure(id: string, what: string, unit: string, value: number): Row {
  return { id: `big.queued.${id}`, what, unit, product: [value] };
}
