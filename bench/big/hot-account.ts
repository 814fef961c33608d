import type { Benchmark } from '../measure.ts';
import { openProduct } from '../product.ts';
import { enqueueMany } from './enqueue-many.ts';
import { delayRows, enqueueOthers, startDelays } from './starts.ts';

/* 10,000 accounts with one job each, alone and beside an account with 50,000 jobs. */

const HOT_JOBS = 50_000;
const OTHERS = 10_000;
const OTHERS_PER_SECOND = 20;
const GIVE_UP_MS = 60_000;

async function delaysBeside(hotJobs: number, others: number, note: (text: string) => void): Promise<number[]> {
  const product = await openProduct({ pollMs: [1_000], pollsUntilDone: 1 });
  try {
    await enqueueMany(product, { to: hotJobs, request: () => product.request('hot') });
    const worker = await product.startWorker();
    await worker.ask('start', ['upload', 'status']);
    const acceptedAt = await enqueueOthers(product, { count: others, perSecond: OTHERS_PER_SECOND, of: 'creator' });
    const delays = await startDelays(product, acceptedAt, { givenUpAt: Date.now() + GIVE_UP_MS });
    note(`beside ${hotJobs} jobs of one account, ${delays.length} of ${others} others began`);
    return delays;
  } finally {
    await product.close();
  }
}

export const hotAccountBenchmark: Benchmark = {
  name: 'hot-account',
  async run({ scale, note }) {
    const [hotJobs, others] = [Math.ceil(HOT_JOBS * scale), Math.ceil(OTHERS * scale)];
    const alone = await delaysBeside(0, Math.ceil(others / 4), note);
    const beside = await delaysBeside(hotJobs, others, note);
    return delayRows('hotAccount', `start of ${others} others beside ${hotJobs} jobs of one account`, beside, {
      ...{ name: 'without it', values: alone },
    });
  },
};
