import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Queue } from 'bullmq';
import { type BenchRedis, type Program, startProgram, startRedis } from './lab.ts';
import { type Benchmark, interleave } from './measure.ts';
import { openProduct, QUEUE_PREFIX } from './product.ts';

/* How long an app waits for what it imports, and a job for a worker that has just been started. */

const POLL_MS = [20];

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
  readonly tiktok: Program;
  /** BullMQ's own events of the queue. */
  readonly events: string;
  add(account: string): Promise<unknown>;
  startWorker(): Promise<Program>;
  close(): Promise<unknown>;
}

async function openProductSide(): Promise<Side> {
  const product = await openProduct({ pollMs: POLL_MS, pollsUntilDone: 1 });
  return {
    ...product,
    events: `${QUEUE_PREFIX}:tiktok-publish:events`,
    add: (account) => product.publisher.enqueue(product.request(account)),
  };
}

async function openBareSide(): Promise<Side> {
  const redis = await startRedis();
  const tiktok = await startProgram('tiktok', { pollsUntilDone: 1 });
  const tiktokUrl = await tiktok.ask<string>('url');
  const queue = new Queue('publish', { connection: { url: redis.url } });
  return {
    ...{ redis, tiktok, events: 'bull:publish:events' },
    add: (account) => queue.add('publish', { account, media: { path: import.meta.filename } }, { jobId: account }),
    startWorker: () =>
      startProgram('bare-worker', { redisUrl: redis.url, tiktokUrl, concurrency: 50, pollMs: POLL_MS }),
    async close() {
      await queue.close();
      await tiktok.end();
      await redis.close();
    },
  };
}

/** From the start of a worker's process to its first job (ms). */
async function timeFirstJob({ redis, tiktok, events, add, startWorker }: Side, run: number): Promise<number> {
  await add(`creator-${run}`);
  const startedAt = Date.now();
  const worker = await startWorker();
  const ended = tiktok.ask('until', { kind: 'ended', number: run });
  await worker.ask('start');
  await ended;
  const entries = await redis.client.xrange(events, startedAt, '+');
  const taken = entries.find(([, fields]) => fields.includes('active'));
  // What is written after the last answer of TikTok.
  await sleep(100);
  await worker.end();
  return Number(taken?.[0].split('-')[0]) - startedAt;
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
