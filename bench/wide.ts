import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { percentile } from '../src/core/percentile.ts';
import { READING_CALLS, readingCalls } from './calls.ts';
import { type FilledJob, fillWithProcessing } from './fill.ts';
import { type Benchmark, median, type Row } from './measure.ts';
import { openProduct, type Product, QUEUE_PREFIX } from './product.ts';

/* Whether many jobs in `processing` slow anything down, and how late their polls are. */

const ROUNDS = 5;
const CALLS = 50;
const FEW_JOBS = 1_000;
const JOBS_PER_ACCOUNT = 10;
/** No poll comes before the polls are measured. */
const QUIET_MS = 3_600_000;
const POLLS_PER_SECOND = 500;
/** For an entry to get its new time. */
const RESCHEDULE_MS = 0.5;
/** How often to look whether all were polled, and for how long. */
const LOOK_MS = 500;
const GIVE_UP_MS = 60_000;
/** Of a worker that has just started; they do not count. */
const FIRST_POLLS = 500;
/** The next poll of a job is out of the way. */
const POLL_MS = [QUIET_MS];

interface Size {
  readonly product: Product;
  readonly jobs: readonly FilledJob[];
  readonly url: string;
}

async function openSize(jobs: number): Promise<Size> {
  const product = await openProduct({ pollMs: POLL_MS, pollsUntilDone: Number.MAX_SAFE_INTEGER });
  const filled = await fillWithProcessing(product, {
    ...{ jobs, accounts: jobs / JOBS_PER_ACCOUNT, firstPollInMs: QUIET_MS },
  });
  return { product, jobs: filled, url: await (await product.startServer()).ask<string>('serve') };
}

const WHAT = {
  enqueue: 'enqueue',
  list: READING_CALLS.list,
  get: 'publisher.get',
  metrics: READING_CALLS.metrics,
  board: READING_CALLS.board,
} as const;

type Call = keyof typeof WHAT;

function callsOf({ product: { publisher, request }, jobs, url }: Size): Record<Call, (n: number) => Promise<unknown>> {
  const { list, metrics, board } = readingCalls(publisher, url);
  return {
    enqueue: (n) => publisher.enqueue(request(`new-${n}`)),
    ...{ list, metrics, board },
    get: (n) => publisher.get(jobs[(n * 97) % jobs.length]?.id ?? ''),
  };
}

type Latencies = Record<Call, number>;

/** Median latencies (ms) of each size, whose calls take turns. */
async function measureCalls(sizes: readonly Size[], round: number): Promise<Latencies[]> {
  const sides = sizes.map((size) => ({ calls: callsOf(size), latencies: new Map<Call, number[]>() }));
  for (let n = round * CALLS; n < (round + 1) * CALLS; n += 1) {
    for (const call of Object.keys(WHAT) as Call[]) {
      // The second one finds warm what the first has used.
      for (const { calls, latencies } of n % 2 === 0 ? sides : sides.toReversed()) {
        const startedAt = performance.now();
        await calls[call](n);
        latencies.set(call, [...(latencies.get(call) ?? []), performance.now() - startedAt]);
      }
    }
  }
  return sides.map(
    ({ latencies }) => Object.fromEntries([...latencies].map(([call, all]) => [call, median(all)])) as Latencies,
  );
}

interface Polls {
  /** How late each reached TikTok (ms), in the order they were due. */
  readonly lags: readonly number[];
  readonly perSecond: number;
  readonly workerCpuMs: number;
  readonly redisCpuMs: number;
}

/** @returns when each was polled (ms since the epoch) */
async function untilAllPolled({ tiktok }: Product, polled: readonly FilledJob[]): Promise<number[]> {
  for (const givenUpAt = Date.now() + GIVE_UP_MS; Date.now() < givenUpAt; await sleep(LOOK_MS)) {
    const polledAt = await tiktok.ask<Record<string, number>>('polledAt');
    const times = polled.flatMap(({ publishId }) => polledAt[publishId] ?? []);
    if (times.length === polled.length) return times;
  }
  throw new Error('some jobs were not polled');
}

/** Lets jobs be polled at an even rate, once each. */
async function measurePolls({ product, jobs }: Size, count: number): Promise<Polls> {
  const { redis, startWorker } = product;
  const polled = jobs.slice(0, FIRST_POLLS + count);
  const queue = new Queue('tiktok-status', { connection: { url: redis.url }, prefix: QUEUE_PREFIX });
  const entries = await Promise.all(polled.map(({ id }) => queue.getJob(id)));
  const worker = await startWorker();
  await worker.ask('start');
  const startAt = Date.now() + polled.length * RESCHEDULE_MS;
  const dueAt = (n: number): number => startAt + (n * 1_000) / POLLS_PER_SECOND;
  await Promise.all(entries.map((entry, n) => entry?.changeDelay(dueAt(n) - Date.now())));
  await queue.close();
  await sleep(dueAt(FIRST_POLLS) - Date.now());
  const [redisBefore, cpuBefore] = [await redis.use(), await worker.ask<number>('cpuMs')];
  await sleep(dueAt(polled.length) - Date.now());
  const polledAt = await untilAllPolled(product, polled);
  const [redisAfter, cpuAfter] = [await redis.use(), await worker.ask<number>('cpuMs')];
  const counted = polledAt.slice(FIRST_POLLS);
  return {
    lags: counted.map((at, n) => at - dueAt(FIRST_POLLS + n)),
    perSecond: (count * 1_000) / (Math.max(...counted) - dueAt(FIRST_POLLS)),
    workerCpuMs: (cpuAfter - cpuBefore) / count,
    redisCpuMs: (redisAfter.cpuMs - redisBefore.cpuMs) / count,
  };
}

export const wideBenchmark: Benchmark = {
  name: 'wide',
  async run({ full, note }) {
    const jobs = full ? 100_000 : 10_000;
    const polls = (full ? 5_000 : 1_000) * ROUNDS;
    const [few, many] = [await openSize(FEW_JOBS), await openSize(jobs)];
    try {
      note(`${jobs} jobs in processing: ${Math.round((await many.product.redis.use()).memoryBytes / jobs)} bytes each`);
      const rounds: Latencies[][] = [];
      for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measureCalls([few, many], round));
      const { lags, perSecond, workerCpuMs, redisCpuMs } = await measurePolls(many, polls);
      note(
        `${perSecond.toFixed()} polls a second by one worker; CPU per poll: worker ${workerCpuMs.toFixed(2)} ms, Redis ${redisCpuMs.toFixed(2)} ms`,
      );
      const perRound = polls / ROUNDS;
      const slowdown = (call: Call): Row => ({
        ...{ id: `wide.${call}`, what: `${WHAT[call]}, ${jobs} jobs`, unit: 'ms', target: { atMost: 1.2 } },
        product: rounds.flatMap(([, latencies]) => latencies?.[call] ?? []),
        baseline: { name: `${FEW_JOBS} jobs`, values: rounds.flatMap(([latencies]) => latencies?.[call] ?? []) },
      });
      return [
        ...(Object.keys(WHAT) as Call[]).map(slowdown),
        {
          ...{ id: 'wide.pollLag', what: `lag of polls at ${POLLS_PER_SECOND} a second, p99`, unit: 'ms' },
          product: Array.from({ length: ROUNDS }, (_, round) =>
            percentile(lags.slice(round * perRound, (round + 1) * perRound), 0.99),
          ),
          target: { atMost: 250 },
        },
      ];
    } finally {
      await few.product.close();
      await many.product.close();
    }
  },
};
