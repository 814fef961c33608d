import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { createPublisherFromConfig } from '../src/app/create-publisher.ts';
import type { PublishRequest } from '../src/core/publish-request.ts';
import { createKeys } from '../src/redis/keys.ts';
import { makeVideo } from '../test/support/videos.ts';
import { type BenchRedis, startProgram, startRedis } from './lab.ts';
import { type Benchmark, interleave, type Row } from './measure.ts';
import { CONCURRENCY, directPost, productEnvironment, QUEUE_PREFIX } from './product.ts';

/* What a publish costs: a direct post of a small file in one chunk, followed by three polls. */

const VIDEO_BYTES = 1_100_000;
const POLLS = 3;
const POLL_MS = [300, 450, 675];
const ONE_BY_ONE = 300;
const BULK = 1_000;
/** Enough for what each process does once to count little. */
const COUNTED_JOBS = 600;

/** How requests get onto the queue of one side, and which program works there. */
interface Side {
  readonly program: string;
  /** Whether that is a process of the product. */
  readonly isOwn: boolean;
  open(redisUrl: string): Producer;
}

interface Producer {
  add(request: PublishRequest, id: number): Promise<unknown>;
  addBulk(requests: readonly PublishRequest[]): Promise<unknown>;
  /** How many jobs have their outcome written. */
  countEnded(redis: BenchRedis): Promise<number>;
  close(): Promise<unknown>;
}

const bare: Side = {
  program: 'bare-worker',
  isOwn: false,
  open(url) {
    const queue = new Queue('publish', { connection: { url } });
    return {
      add: (request, id) => queue.add('publish', request, { jobId: `job-${id}` }),
      addBulk: (requests) =>
        queue.addBulk(requests.map((data, id) => ({ name: 'publish', data, opts: { jobId: `bulk-${id}` } }))),
      countEnded: (redis) => redis.client.zcard('bull:status:completed'),
      close: () => queue.close(),
    };
  },
};

const product: Side = {
  program: 'product-worker',
  isOwn: true,
  open(url) {
    const publisher = createPublisherFromConfig({
      redis: { kind: 'url', url },
      ...{ dataDir: '', cacheDir: '', queuePrefix: QUEUE_PREFIX },
    });
    return {
      add: (request) => publisher.enqueue(request),
      addBulk: (requests) => publisher.enqueueBulk(requests),
      countEnded: (redis) => redis.client.zcard(createKeys(QUEUE_PREFIX).stateJobs('published')),
      close: () => publisher.close(),
    };
  },
};

const FAILED = ['bull:publish:failed', 'bull:status:failed', createKeys(QUEUE_PREFIX).stateJobs('failed')] as const;

interface Cost {
  readonly addsPerSecond: number;
  readonly bulkAddsPerSecond: number;
  readonly queuedBytes: number;
  readonly endedBytes: number;
  readonly uploadsPerSecond: number;
  readonly publishesPerSecond: number;
  readonly redisCpuMs: number;
  readonly nodeCpuMs: number;
  readonly commands: number;
}

/** A running side: its Redis, its TikTok, its worker, and requests of as many accounts. */
async function openSide({ program, isOwn, open }: Side, path: string) {
  const redis = await startRedis();
  const tiktok = await startProgram('tiktok', { pollsUntilDone: POLLS });
  const tiktokUrl = await tiktok.ask<string>('url');
  const environment = productEnvironment(redis.url, tiktokUrl);
  const settings = { environment, pollMs: POLL_MS, redisUrl: redis.url, tiktokUrl, concurrency: CONCURRENCY };
  const worker = await startProgram(program, settings, { isOwn });
  const producer = open(redis.url);
  return {
    ...{ redis, tiktok, worker, producer },
    requests: (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => directPost(`creator-${from + index}`, path)),
    async ended(count: number): Promise<void> {
      while ((await producer.countEnded(redis)) < count) {
        if ((await redis.client.exists(...FAILED)) > 0) throw new Error('a job failed');
        await sleep(20);
      }
    },
    async close(): Promise<void> {
      await producer.close();
      await worker.end();
      await tiktok.end();
      await redis.close();
    },
  };
}

/** Calls of all clients for a job from enqueue to outcome. */
async function countCalls(kind: Side, path: string): Promise<Map<string, number>> {
  const side = await openSide(kind, path);
  try {
    const stop = await side.redis.countCalls();
    for (const [id, request] of side.requests(0, COUNTED_JOBS).entries()) await side.producer.add(request, id);
    await side.worker.ask('start');
    await side.ended(COUNTED_JOBS);
    const counts = stop();
    return new Map([...counts].map(([name, count]) => [name, count / COUNTED_JOBS]));
  } finally {
    await side.close();
  }
}

async function measure(kind: Side, path: string): Promise<Cost> {
  const side = await openSide(kind, path);
  const { redis, tiktok, worker, producer } = side;
  const number = ONE_BY_ONE + BULK;
  try {
    await producer.add(directPost('creator--1', path), -1);
    const empty = await redis.use();
    const oneByOne = side.requests(0, ONE_BY_ONE);
    const addMs = await timeOf(async () => {
      for (const [id, request] of oneByOne.entries()) await producer.add(request, id);
    });
    const bulk = side.requests(ONE_BY_ONE, number);
    const bulkMs = await timeOf(() => producer.addBulk(bulk));
    const queued = await redis.use();
    const cpuBefore = await worker.ask<number>('cpuMs');
    const startedAt = Date.now();
    const uploaded = tiktok.ask<number>('until', { kind: 'uploads', number: number + 1 });
    const published = tiktok.ask<number>('until', { kind: 'ended', number: number + 1 });
    await worker.ask('start');
    const [uploadedAt, publishedAt] = await Promise.all([uploaded, published]);
    await side.ended(number + 1);
    const [ended, cpuAfter] = await Promise.all([redis.use(), worker.ask<number>('cpuMs')]);
    return {
      addsPerSecond: (ONE_BY_ONE / addMs) * 1_000,
      bulkAddsPerSecond: (BULK / bulkMs) * 1_000,
      queuedBytes: (queued.memoryBytes - empty.memoryBytes) / number,
      endedBytes: (ended.memoryBytes - empty.memoryBytes) / number,
      uploadsPerSecond: (number / (uploadedAt - startedAt)) * 1_000,
      publishesPerSecond: (number / (publishedAt - startedAt)) * 1_000,
      redisCpuMs: (ended.cpuMs - empty.cpuMs) / number,
      nodeCpuMs: (cpuAfter - cpuBefore) / number,
      commands: (ended.commands - empty.commands) / number,
    };
  } finally {
    await side.close();
  }
}

async function timeOf(something: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await something();
  return performance.now() - startedAt;
}

const sum = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((total, each) => total + each, 0);

export const publishBenchmark: Benchmark = {
  name: 'publish',
  async run({ full, note }) {
    const folder = await mkdtemp(join(tmpdir(), 'bench-publish-'));
    const path = await makeVideo(folder, VIDEO_BYTES);
    try {
      const calls = { bare: await countCalls(bare, path), product: await countCalls(product, path) };
      for (const [side, counts] of Object.entries(calls)) note(`calls per publish, ${side}: ${describe(counts)}`);
      const results = await interleave(full ? 7 : 5, {
        bare: () => measure(bare, path),
        product: () => measure(product, path),
      });
      const row = (id: keyof Cost, what: string, unit: string, target: Row['target']): Row => ({
        ...{ id: `publish.${id}`, what, unit, target },
        product: results.product.map((cost) => cost[id]),
        baseline: { name: 'bare BullMQ', values: results.bare.map((cost) => cost[id]) },
      });
      return [
        {
          ...{ id: 'publish.calls', what: 'Redis round trips per publish', unit: 'calls', target: { atMost: 1.5 } },
          product: [sum(calls.product)],
          baseline: { name: 'bare BullMQ', values: [sum(calls.bare)] },
        },
        row('commands', 'Redis commands per publish, inside scripts too', 'commands', { atMost: 1.4 }),
        row('redisCpuMs', 'Redis CPU per publish', 'ms', { atMost: 1.5 }),
        row('nodeCpuMs', 'worker CPU per publish', 'ms', { atMost: 1.5 }),
        row('uploadsPerSecond', 'uploads', '/s', { atLeast: 0.7 }),
        row('publishesPerSecond', 'publishes, end to end', '/s', { atLeast: 0.7 }),
        row('addsPerSecond', 'enqueue one by one', '/s', { atLeast: 0.7 }),
        row('bulkAddsPerSecond', 'enqueue in bulk of 1,000', '/s', { atLeast: 0.7 }),
        row('queuedBytes', 'Redis memory per queued job', 'bytes', { atMost: 2 }),
        row('endedBytes', 'Redis memory per ended job', 'bytes', { atMost: 1.6 }),
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function describe(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `${name} ${count.toFixed(1)}`).join(', ');
}
