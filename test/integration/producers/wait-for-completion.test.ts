import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import type { Publisher } from '../../../src/producers/index.ts';
import { openRedisConnections } from '../../../src/redis/connections.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';
import { rejection } from '../../support/rejection.ts';

const REQUEST = { account: 'acme', mode: 'inbox', media: { type: 'file', path: '/videos/a.mp4' } } as const;

let publisher: Publisher;
let other: Publisher;

function makePublisher(queuePrefix: string): Publisher {
  return createPublisherFromConfig({
    redis: { kind: 'url', url: testRedisUrl() },
    ...{ dataDir: '', cacheDir: '', queuePrefix, retentionMs: 86_400_000 },
  });
}

beforeEach(() => {
  const prefix = freshPrefix();
  publisher = makePublisher(prefix);
  other = makePublisher(prefix);
});

afterEach(async () => {
  await Promise.all([publisher.close(), other.close()]);
  expect(openRedisConnections()).toEqual([]);
});

describe('waiting for the outcome of a job', () => {
  it('ends with the job as soon as it has one, for everybody who waits', async () => {
    const job = await other.enqueue(REQUEST);
    const waiting = Array.from({ length: 50 }, () => publisher.waitForCompletion(job.id));
    await other.cancel(job.id);
    for (const ended of await Promise.all(waiting)) expect(ended).toMatchObject({ id: job.id, state: 'cancelled' });
  });

  it('is over at once for a job that has its outcome', async () => {
    const job = await publisher.enqueue(REQUEST);
    await publisher.cancel(job.id);
    expect(await publisher.waitForCompletion(job.id, { timeoutMs: 90_000 })).toMatchObject({ state: 'cancelled' });
  });

  it('rejects with the reason of its signal, whether aborted before or meanwhile', async () => {
    const job = await publisher.enqueue(REQUEST);
    const reason = new Error('nobody asks any more');
    const before = publisher.waitForCompletion(job.id, { signal: AbortSignal.abort(reason) });
    await expect(before).rejects.toBe(reason);
    const stop = new AbortController();
    const meanwhile = publisher.waitForCompletion(job.id, { signal: stop.signal });
    await publisher.get(job.id);
    stop.abort(reason);
    await expect(meanwhile).rejects.toBe(reason);
  });

  it('says that the publisher was closed', async () => {
    const job = await publisher.enqueue(REQUEST);
    const waiting = rejection(publisher.waitForCompletion(job.id));
    await publisher.get(job.id);
    await publisher.close();
    expect(await waiting).toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining('closed') });
  });

  it.each([-1, Number.NaN, '5000'])('refuses a time-out of %j', async (timeoutMs) => {
    // What JavaScript lets through.
    const options = JSON.parse('{}');
    options.timeoutMs = timeoutMs;
    const error = await rejection(publisher.waitForCompletion('made-up', options));
    expect(error.details.problems?.map(({ path }) => path)).toEqual(['timeoutMs']);
  });

  it('takes any longer time, without waiting shorter than told', async () => {
    const job = await publisher.enqueue(REQUEST);
    const waiting = publisher.waitForCompletion(job.id, { timeoutMs: 2 ** 40 });
    await other.cancel(job.id);
    expect(await waiting).toMatchObject({ state: 'cancelled' });
  });
});
