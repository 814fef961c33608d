import { setTimeout as sleep } from 'node:timers/promises';
import { decodeEvent } from '../src/core/publish-event.ts';
import { DAY_MS } from '../src/core/units.ts';
import type { Program } from './lab.ts';
import type { Benchmark } from './measure.ts';
import { openProduct, type Product } from './product.ts';

/* What those cost who watch a job while much happens to others, once they have begun to watch. */

const ROUNDS = 5;
const WATCHED_JOBS = 40;
const OTHER_EVENTS_PER_SECOND = 200;
/** Watchers begin before the jobs do. */
const JOBS_BEGIN_AFTER_MS = 2_000;
const WATCHERS_BEGIN_WITHIN_MS = 1_200;

/** One process with a watcher for each of some jobs. */
interface Watchers {
  readonly program: Program;
  /** Begins to watch. @returns what resolves when all jobs have ended */
  watch(ids: readonly string[]): Promise<() => Promise<unknown>>;
}

async function openWaiters(product: Product): Promise<Watchers> {
  const program = await product.startWatcher();
  return {
    program,
    async watch(ids) {
      await program.ask('watch', ids);
      return () => program.ask('ended');
    },
  };
}

async function openStreams(product: Product): Promise<Watchers> {
  const program = await product.startServer();
  const url = await program.ask<string>('serve');
  return {
    program,
    async watch(ids) {
      const streams = await Promise.all(ids.map((id) => fetch(`${url}/v1/publishes/${id}/events`)));
      return () => Promise.all(streams.map(readToEnd));
    },
  };
}

/** Reads server-sent events until the job has its outcome. */
async function readToEnd({ body }: Response): Promise<void> {
  let text = '';
  for await (const piece of (body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes('event: publish.published')) return;
  }
  throw new Error('a stream ended too early');
}

/** Lets things happen to other jobs until the returned function is called. */
function keepBusy({ publisher, request }: Product): () => void {
  let others = 0;
  const timer = setInterval(() => {
    const scheduledAt = new Date(Date.now() + DAY_MS).toISOString();
    publisher.enqueue({ ...request(`other-${++others % 1_000}`), scheduledAt }).catch((error: unknown) => {
      throw error;
    });
  }, 1_000 / OTHER_EVENTS_PER_SECOND);
  return () => clearInterval(timer);
}

interface Cost {
  /** Calls by a watcher itself for each change of its job. */
  readonly callsPerChange: number;
  /** Reads by which a process hears of everything, shared by its watchers. */
  readonly sharedPerSecond: number;
}

/** @param round names the accounts, which have no other job */
async function measure(product: Product, watchers: readonly Watchers[], round: number): Promise<Cost[]> {
  const { redis, publisher, request, keys } = product;
  const scheduledAt = new Date(Date.now() + JOBS_BEGIN_AFTER_MS).toISOString();
  const requests = Array.from({ length: WATCHED_JOBS }, (_, n) => ({ ...request(`own-${round}-${n}`), scheduledAt }));
  const ids = (await publisher.enqueueBulk(requests)).map(({ id }) => id);
  const ends = await Promise.all(watchers.map(({ watch }) => watch(ids)));
  await sleep(WATCHERS_BEGIN_WITHIN_MS);
  const stopCounting = await Promise.all(watchers.map(({ program }) => redis.countCalls(program.pid)));
  const startedAt = Date.now();
  await Promise.all(ends.map((ended) => ended()));
  const seconds = (Date.now() - startedAt) / 1_000;
  const events = await redis.client.xrange(keys.events, startedAt, '+');
  const changes = events.filter(([, fields]) => ids.includes(decodeEvent(fields)?.subject ?? '')).length;
  return stopCounting.map((stop) => {
    const { xread = 0, ...own } = Object.fromEntries(stop());
    const calls = Object.values(own).reduce((sum, count) => sum + count, 0);
    return { callsPerChange: calls / changes, sharedPerSecond: xread / seconds };
  });
}

export const watchersBenchmark: Benchmark = {
  name: 'watchers',
  async run({ full }) {
    const product = await openProduct({ pollMs: [300, 450], pollsUntilDone: 2 });
    try {
      const watchers = [await openWaiters(product), await openStreams(product)];
      await (await product.startWorker()).ask('start');
      const stop = keepBusy(product);
      const rounds: Cost[][] = [];
      for (let round = 0; round < (full ? 20 : ROUNDS); round += 1)
        rounds.push(await measure(product, watchers, round));
      stop();
      const unit = 'calls';
      return [
        ...['waitForCompletion', 'an event stream of the API'].map((who, index) => ({
          ...{ id: `watchers.calls${index}`, what: `Redis calls of ${who} per change of its job`, unit },
          product: rounds.flatMap((costs) => costs[index]?.callsPerChange ?? []),
          target: { atMost: 2 },
        })),
        {
          ...{ id: 'watchers.shared', what: 'reads of events shared by all watchers of a process', unit: '/s' },
          product: rounds.flatMap((costs) => costs[0]?.sharedPerSecond ?? []),
        },
      ];
    } finally {
      await product.close();
    }
  },
};
