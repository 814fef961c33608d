import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark } from '../measure.ts';
import { openProduct } from '../product.ts';
import { enqueueMany } from './enqueue-many.ts';
import { delayRows, enqueueOthers, startDelays } from './starts.ts';

/* 10,000 accounts with one job each, alone and beside an account with 50,000 jobs. */

const HOT_JOBS = 50_000;
const OTHERS = 10_000;
const OTHERS_PER_SECOND = 60;
const GIVE_UP_MS = 60_000;

interface Others {
  readonly count: number;
  readonly perSecond: number;
}

async function delaysBeside(hotJobs: number, others: Others, note: (text: string) => void): Promise<number[]> {
  const product = await openProduct({ pollMs: [1_000], pollsUntilDone: 1 });
  try {
    await enqueueMany(product, { to: hotJobs, request: () => product.request('hot') });
    const worker = await product.startWorker();
    const swept = worker.ask('nextSweepMs');
    await worker.ask('start', ['upload', 'status']);
    // What a process does as it starts, and a new system once, does not count.
    await swept;
    while ((await product.redis.client.hexists(product.keys.indexBuild, 'builtAt')) === 0) await sleep(100);
    const [before, startedAt] = [await product.redis.use(), performance.now()];
    const acceptedAt = await enqueueOthers(product, { ...others, of: 'creator' });
    const delays = await startDelays(product, acceptedAt, { givenUpAt: Date.now() + GIVE_UP_MS });
    const [after, seconds] = [await product.redis.use(), (performance.now() - startedAt) / 1_000];
    const commands = (after.commands - before.commands) / others.count;
    note(
      `beside ${hotJobs} jobs of one account, ${delays.length} of ${others.count} others began in ${seconds.toFixed()} s, with ${commands.toFixed()} Redis commands for each`,
    );
    return delays;
  } finally {
    await product.close();
  }
}

export const hotAccountBenchmark: Benchmark = {
  name: 'hot-account',
  async run({ scale, note }) {
    const hotJobs = Math.ceil(HOT_JOBS * scale);
    const others = { count: Math.ceil(OTHERS * scale), perSecond: OTHERS_PER_SECOND * Math.min(1, 10 * scale) };
    const alone = await delaysBeside(0, others, note);
    const beside = await delaysBeside(hotJobs, others, note);
    return delayRows('hotAccount', `start of ${others.count} others beside ${hotJobs} jobs of one account`, beside, {
      ...{ name: 'without it', values: alone },
    });
  },
};
