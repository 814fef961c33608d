import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark, Row } from '../measure.ts';
import { openProduct } from '../product.ts';
import { enqueueMany } from './enqueue-many.ts';

/* Whether what publishes cost grows in a straight line: 400 and 4,000 publishes of three polls each predict 12,000. */

const PUBLISHES = 12_000;
const POLLS = 3;

const COSTS = {
  commands: { what: 'Redis commands', unit: 'commands' },
  redisCpu: { what: 'Redis CPU', unit: 'ms' },
  workerCpu: { what: 'worker CPU', unit: 'ms' },
  memory: { what: 'Redis memory', unit: 'bytes' },
} as const;

type Cost = Readonly<Record<keyof typeof COSTS, number>>;

/** What it takes from the enqueue of so many jobs to the last outcome. */
async function costOf(publishes: number): Promise<Cost> {
  const product = await openProduct({ pollMs: [300, 450, 675], pollsUntilDone: POLLS });
  try {
    const { redis, keys, request } = product;
    const worker = await product.startWorker();
    await worker.ask('start');
    // What a process does once does not grow.
    await enqueueMany(product, { to: 1, request: () => request('first') });
    const published = async (): Promise<number> => await redis.client.zcard(keys.stateJobs('published'));
    while ((await published()) < 1) await sleep(20);
    const [before, cpuBefore] = [await redis.use(), await worker.ask<number>('cpuMs')];
    await enqueueMany(product, { to: publishes, request: (n) => request(`creator-${n}`) });
    while ((await published()) < publishes + 1) await sleep(50);
    const [after, cpuAfter] = [await redis.use(), await worker.ask<number>('cpuMs')];
    return {
      commands: after.commands - before.commands,
      redisCpu: after.cpuMs - before.cpuMs,
      workerCpu: cpuAfter - cpuBefore,
      memory: after.memoryBytes - before.memoryBytes,
    };
  } finally {
    await product.close();
  }
}

export const growthBenchmark: Benchmark = {
  name: 'growth',
  async run({ scale, note }) {
    const [few, more, most] = [1 / 30, 1 / 3, 1].map((share) => Math.ceil(share * scale * PUBLISHES));
    if (few === undefined || more === undefined || most === undefined) return [];
    const [atFew, atMore, atMost] = [await costOf(few), await costOf(more), await costOf(most)];
    return (Object.keys(COSTS) as (keyof Cost)[]).map((cost): Row => {
      const perPublish = (atMore[cost] - atFew[cost]) / (more - few);
      const predicted = atMore[cost] + perPublish * (most - more);
      const { what, unit } = COSTS[cost];
      note(
        `${what} per publish: ${[atFew[cost] / few, atMore[cost] / more, atMost[cost] / most].map((value) => value.toPrecision(4)).join(', ')} ${unit} with ${few}, ${more} and ${most} publishes`,
      );
      return {
        ...{ id: `big.growth.${cost}`, what: `${what} of ${most} publishes`, unit, product: [atMost[cost]] },
        baseline: { name: `predicted from ${few} and ${more}`, values: [predicted] },
      };
    });
  },
};
