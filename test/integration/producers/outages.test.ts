import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import { askServerIdentity } from '../../../src/embedded-redis/running-redis.ts';
import { OLDEST_EVENT, type Publisher } from '../../../src/producers/index.ts';
import { openRedisConnections } from '../../../src/redis/connections.ts';
import { RedisNode } from '../../chaos/topologies/redis-node.ts';
import { eventually } from '../../support/eventually.ts';
import { rejection } from '../../support/rejection.ts';

let dataDir: string;
let redis: RedisNode;
let publishers: Publisher[];
let publisher: Publisher;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tiktok-publisher-outage-'));
  // With a slow disk, `everysec` postpones writes that were acknowledged, and a kill then loses them.
  redis = await RedisNode.start({ folder: dataDir, config: () => ['appendfsync always'] });
  publishers = [];
  publisher = anotherPublisher();
});

afterEach(async () => {
  await Promise.all(publishers.map((open) => open.close()));
  await redis.close();
  await rm(dataDir, { recursive: true, force: true });
  expect(openRedisConnections()).toEqual([]);
});

function anotherPublisher(): Publisher {
  const made = createPublisherFromConfig({
    redis: { kind: 'url', url: redis.url },
    ...{ dataDir: '', cacheDir: '', queuePrefix: '{outages}', retentionMs: 86_400_000 },
  });
  publishers.push(made);
  return made;
}

const REQUEST = { account: 'acme', mode: 'inbox', media: { type: 'file', path: '/videos/a.mp4' } } as const;

/** Calls until Redis is there again. */
const whenBack = async <T>(call: () => Promise<T>): Promise<T> => await eventually(call);

describe('a feed of events', () => {
  it('loses and doubles no event while Redis is killed and comes back, again and again', async () => {
    const other = anotherPublisher();
    const feed = publisher.events({ after: OLDEST_EVENT });
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { event } of feed) seen.push(event.subject);
    })();
    const ids: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let job = 0; job < 20; job += 1) {
        // The key makes a call that is repeated after a lost reply one job.
        const options = { idempotencyKey: `${round}-${job}` };
        ids.push((await whenBack(() => other.enqueue(REQUEST, options))).id);
      }
      await redis.kill();
      await redis.start();
    }
    const last = await whenBack(() => other.enqueue(REQUEST));
    await eventually(() => seen.includes(last.id));
    expect(seen).toEqual([...ids, last.id]);
    await feed.return();
    await reading;
  });

  it('says at the first next() that Redis is not there to begin with', async () => {
    await redis.kill();
    expect((await rejection(publisher.events().next())).code).toBe('REDIS_UNAVAILABLE');
    await redis.start();
  });

  it('ends at once by its signal although Redis hangs', async () => {
    const stop = new AbortController();
    const feed = publisher.events({ signal: stop.signal });
    await feed.started;
    const pid = await pidOfRedis();
    process.kill(pid, 'SIGSTOP');
    try {
      const waiting = feed.next();
      stop.abort();
      expect(await waiting).toEqual({ done: true, value: undefined });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});

describe('a publisher whose events are followed', () => {
  it('closes while Redis is away', async () => {
    const feed = publisher.events({ after: '0' });
    await publisher.enqueue(REQUEST);
    await feed.next();
    const next = feed.next();
    // By then it waits for news in a read that blocks.
    await eventually(() =>
      openRedisConnections().some(({ role, status }) => role === 'blocking' && status === 'ready'),
    );
    await publisher.enqueue(REQUEST);
    await next;
    await redis.kill();
    const isBlocked = ({ role, status }: { role: string; status: string }) =>
      role === 'blocking' && status === 'reconnecting';
    await eventually(() => openRedisConnections().some(isBlocked));
    await publisher.close();
    expect(openRedisConnections()).toEqual([]);
    await redis.start();
  });
});

describe('waiting for the outcome of a job', () => {
  it('goes on when Redis was killed and came back meanwhile', async () => {
    const other = anotherPublisher();
    const job = await publisher.enqueue(REQUEST);
    const waiting = publisher.waitForCompletion(job.id, { timeoutMs: 90_000 });
    await redis.kill();
    await redis.start();
    await whenBack(() => other.cancel(job.id));
    expect(await waiting).toMatchObject({ id: job.id, state: 'cancelled' });
  });

  it('finds out what it missed while it alone was cut off', async () => {
    const other = anotherPublisher();
    const job = await other.enqueue(REQUEST);
    await redis.kill();
    const waiting = publisher.waitForCompletion(job.id, { timeoutMs: 90_000 });
    await redis.start();
    await whenBack(() => other.cancel(job.id));
    expect(await waiting).toMatchObject({ id: job.id, state: 'cancelled' });
  });

  it('times out in time while Redis is away, and says which job had no outcome', async () => {
    const job = await publisher.enqueue(REQUEST);
    await redis.kill();
    const error = await rejection(publisher.waitForCompletion(job.id, { timeoutMs: 200 }));
    expect(error.code).toBe('WAIT_TIMED_OUT');
    expect(error.message).toBe(`job ${job.id} did not end within 200 ms`);
    await redis.start();
  });

  it('is let go by its signal, with its reason, although Redis hangs', async () => {
    const job = await publisher.enqueue(REQUEST);
    const pid = await pidOfRedis();
    process.kill(pid, 'SIGSTOP');
    try {
      const stop = new AbortController();
      const waiting = publisher.waitForCompletion(job.id, { signal: stop.signal });
      const reason = new Error('the page was left');
      stop.abort(reason);
      await expect(waiting).rejects.toBe(reason);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});

async function pidOfRedis(): Promise<number> {
  const { pid } = (await askServerIdentity({ port: Number(new URL(redis.url).port) })) ?? {};
  if (pid === undefined) throw new Error('Redis does not say its process id');
  return pid;
}
