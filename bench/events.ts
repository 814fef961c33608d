import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../src/core/percentile.ts';
import type { PublishJob } from '../src/core/publish-job.ts';
import type { Benchmark } from './measure.ts';
import { openProduct, type Product, TIKTOK_APP } from './product.ts';

/* How long after TikTok's webhook a follower has our event. Web server, worker and follower are three processes. */

const ROUNDS = 5;
const WEBHOOKS_PER_SECOND = 100;
/** No poll comes by itself before the webhook. */
const POLL_MS = [600_000];

type Job = Pick<PublishJob, 'id' | 'publishId'>;

async function bringToProcessing(product: Product, round: number, count: number): Promise<readonly Job[]> {
  const { publisher, request, redis, keys } = product;
  await publisher.enqueueBulk(Array.from({ length: count }, (_, n) => request(`creator-${round}-${n}`)));
  while ((await redis.client.zcard(keys.stateJobs('processing'))) < count) await sleep(20);
  return (await publisher.list({ state: 'processing', limit: count })).jobs;
}

/** Delays (ms) from each webhook to its event. */
async function measureDelays({ publisher }: Product, url: string, jobs: readonly Job[]): Promise<number[]> {
  const feed = publisher.events();
  await feed.started;
  const sentAt = new Map<string, number>();
  const sending = sendWebhooks(url, jobs, (id) => sentAt.set(id, performance.now()));
  const delays: number[] = [];
  for await (const { event } of feed) {
    if (event.type !== 'publish.published') continue;
    delays.push(performance.now() - (sentAt.get(event.subject) ?? Number.NaN));
    if (delays.length === jobs.length) break;
  }
  await sending;
  return delays;
}

async function sendWebhooks(url: string, jobs: readonly Job[], onSend: (id: string) => void): Promise<void> {
  const sending: Promise<void>[] = [];
  for (const { id, publishId } of jobs) {
    onSend(id);
    sending.push(sendWebhook(url, publishId));
    await sleep(1_000 / WEBHOOKS_PER_SECOND);
  }
  await Promise.all(sending);
}

async function sendWebhook(url: string, publishId: string | null): Promise<void> {
  const seconds = Math.floor(Date.now() / 1_000);
  const body = JSON.stringify({
    ...{ client_key: TIKTOK_APP.key, event: 'post.publish.complete', create_time: seconds, user_openid: 'somebody' },
    content: JSON.stringify({ publish_id: publishId, publish_type: 'DIRECT_POST' }),
  });
  const signature = createHmac('sha256', TIKTOK_APP.secret).update(`${seconds}.${body}`).digest('hex');
  const headers = { 'content-type': 'application/json', 'tiktok-signature': `t=${seconds},s=${signature}` };
  const { status } = await fetch(`${url}/webhooks/tiktok`, { method: 'POST', headers, body });
  if (status !== 200) throw new Error(`the webhook was answered with ${status}`);
}

export const eventsBenchmark: Benchmark = {
  name: 'events',
  async run({ full, note }) {
    const product = await openProduct({ pollMs: POLL_MS, pollsUntilDone: 1 });
    try {
      const url = await (await product.startServer()).ask<string>('serve');
      await (await product.startWorker()).ask('start');
      const rounds: number[][] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const jobs = await bringToProcessing(product, round, full ? 500 : 100);
        rounds.push(await measureDelays(product, url, jobs));
      }
      note(`median from webhook to event: ${rounds.map((delays) => percentile(delays, 0.5).toFixed(1)).join(', ')} ms`);
      return [
        {
          ...{
            id: 'events.delay',
            what: "from TikTok's webhook to our event, p99",
            unit: 'ms',
            target: { atMost: 250 },
          },
          product: rounds.map((delays) => percentile(delays, 0.99)),
        },
      ];
    } finally {
      await product.close();
    }
  },
};
