import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DAY_MS } from '../../src/core/units.ts';
import type { Benchmark } from '../measure.ts';
import { openProduct, type Product } from '../product.ts';
import { enqueueMany } from './enqueue-many.ts';
import { delayRows } from './starts.ts';

/* 10,000 callbacks to a host that takes connections and never answers, beside one that answers at once. */

const [DEAD_HOST, HEALTHY_HOST] = ['127.0.0.2', '127.0.0.1'];
const DEAD = 10_000;
const HEALTHY = 1_000;
const HEALTHY_PER_SECOND = 20;
const GIVE_UP_MS = 60_000;

/** Where callbacks arrive, and when the event of each job came (ms since the epoch). */
async function startReceiver(host: string, answers: boolean) {
  const arrivedAt = new Map<string, number>();
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
    request.on('end', () => {
      if (!answers) return;
      response.writeHead(204).end();
      arrivedAt.set((JSON.parse(body) as { subject: string }).subject, Date.now());
    });
  }).listen(0, host);
  await once(server, 'listening');
  return {
    arrivedAt,
    url: `http://${host}:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function healthyDelays(
  { publisher }: Product,
  { url, arrivedAt }: Awaited<ReturnType<typeof startReceiver>>,
  count: number,
  request: (number: number, url: string) => Parameters<typeof publisher.enqueue>[0],
): Promise<number[]> {
  const acceptedAt = new Map<string, number>();
  for (let number = 0; number < count; number += 1) {
    const { id } = await publisher.enqueue(request(number, url));
    acceptedAt.set(id, Date.now());
    await sleep(1_000 / HEALTHY_PER_SECOND);
  }
  const delays = () => [...acceptedAt].flatMap(([id, at]) => (arrivedAt.get(id) ?? Number.NaN) - at);
  for (const givenUpAt = Date.now() + GIVE_UP_MS; Date.now() < givenUpAt; await sleep(100)) {
    if (!delays().some(Number.isNaN)) break;
  }
  return delays().filter((delay) => !Number.isNaN(delay));
}

export const deadHostBenchmark: Benchmark = {
  name: 'dead-host',
  async run({ scale, note }) {
    const product = await openProduct({
      ...{ pollMs: [1_000], pollsUntilDone: 1, settings: { OUTBOUND_ALLOW_HOSTS: [DEAD_HOST, HEALTHY_HOST].join() } },
    });
    const [dead, healthy] = [await startReceiver(DEAD_HOST, false), await startReceiver(HEALTHY_HOST, true)];
    try {
      const scheduledAt = new Date(Date.now() + DAY_MS).toISOString();
      const request = (number: number, callbackUrl: string) => ({
        ...{ ...product.request(`creator-${number}`), scheduledAt, callbackUrl },
      });
      await (await product.startWorker()).ask('start', ['events']);
      const [deadCount, healthyCount] = [Math.ceil(DEAD * scale), Math.ceil(HEALTHY * scale)];
      const alone = await healthyDelays(product, healthy, healthyCount, request);
      await enqueueMany(product, { to: deadCount, request: (n) => request(n, dead.url) });
      const beside = await healthyDelays(product, healthy, healthyCount, request);
      note(
        `${beside.length} of ${healthyCount} callbacks of the healthy host arrived beside ${deadCount} of the dead one`,
      );
      return delayRows('deadHost', `callback to a healthy host beside ${deadCount} to a dead one`, beside, {
        ...{ name: 'without them', values: alone },
      });
    } finally {
      await product.close();
      dead.close();
      healthy.close();
    }
  },
};
