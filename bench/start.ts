import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Queue } from 'bullmq';
import { type BenchRedis, type Program, startOwnProgram, startProgram, startRedis } from './lab.ts';
import { type Benchmark, interleave } from './measure.ts';
import { openProduct, QUEUE_PREFIX } from './product.ts';

/* How long an app waits for what it imports, and a job for a worker that has just been started. */

const POLL_MS = [20] as const;

const run = promisify(execFile);
const TIME_IMPORT =
  'const startedAt = performance.now(); await import(process.argv[1]); console.log(performance.now() - startedAt)';

/** Time of an import in a fresh process (ms). */
async function timeImport(name: string): Promise<number> {
  return Number((await run(process.execPath, ['--input-type=module', '--eval', TIME_IMPORT, name])).stdout);
}

/** One side, on which a worker is started again and again. */
interface Side {
  readonly redis: BenchRedis;
  /** BullMQ's own events of the queue. */
  readonly events: string;
  /** @returns the id of the entry */
  add(account: string): Promise<string>;
  startWorker(): Promise<Pick<Program, 'end'>>;
  close(): Promise<unknown>;
}

async function openProductSide(): Promise<Side> {
  const product = await openProduct({ pollMs: POLL_MS, pollsUntilDone: 1 });
  return {
    ...product,
    events: `${QUEUE_PREFIX}:tiktok-publish:events`,
    add: async (account) => (await product.publisher.enqueue(product.request(account))).id,
    startWorker: async () => startOwnProgram(['worker'], product.environment),
  };
}

async function openBareSide(): Promise<Side> {
  const redis = await startRedis();
  const tiktok = await startProgram('tiktok', { pollsUntilDone: 1 });
  const tiktokUrl = await tiktok.ask<string>('url');
  const queue = new Queue('publish', { connection: { url: redis.url } });
  return {
    ...{ redis, events: 'bull:publish:events' },
    async add(account) {
      await queue.add('publish', { account, media: { path: import.meta.filename } }, { jobId: account });
      return account;
    },
    async startWorker() {
      const settings = { redisUrl: redis.url, tiktokUrl, concurrency: 50, pollMs: POLL_MS };
      const worker = await startProgram('bare-worker', settings);
      await worker.ask('start');
      return worker;
    },
    async close() {
      await queue.close();
      await tiktok.end();
      await redis.close();
    },
  };
}

/** From the start of a worker's process to its first job (ms). */
async function timeFirstJob({ redis, events, add, startWorker }: Side, run: number): Promise<number> {
  const id = await add(`creator-${run}`);
  const startedAt = Date.now();
  const worker = await startWorker();
  try {
    return (await takenAt({ redis, events, id })) - startedAt;
  } finally {
    await worker.end();
  }
}

/** When a worker took an entry (ms since the epoch). */
async function takenAt({ redis, events, id }: Pick<Side, 'redis' | 'events'> & { readonly id: string }) {
  for (;;) {
    const entries = await redis.client.xrange(events, '-', '+');
    const taken = entries.find(([, fields]) => fields.includes('active') && fields.includes(id));
    if (taken !== undefined) return Number(taken[0].split('-')[0]);
    await sleep(POLL_MS[0]);
  }
}

async function timeFirstJobs(times: number) {
  const [product, bare] = [await openProductSide(), await openBareSide()];
  const runs = { product: 0, bare: 0 };
  try {
    return await interleave(times, {
      product: () => timeFirstJob(product, ++runs.product),
      bare: () => timeFirstJob(bare, ++runs.bare),
    });
  } finally {
    await product.close();
    await bare.close();
  }
}

export const startBenchmark: Benchmark = {
  name: 'start',
  async run({ full }) {
    const times = full ? 20 : 5;
    const imports = await interleave(times, {
      product: () => timeImport('tiktok-publisher'),
      bare: () => timeImport('bullmq'),
    });
    const firstJobs = await timeFirstJobs(times);
    const row = (id: string, what: string, { product, bare }: typeof imports) => ({
      ...{ id: `start.${id}`, what, unit: 'ms', target: { atMost: 1.5 }, product },
      baseline: { name: 'bare BullMQ', values: bare },
    });
    return [
      row('import', 'import of the producer entry, which loads BullMQ later', imports),
      row('firstJob', 'start of a worker until it takes a job', firstJobs),
    ];
  },
};
