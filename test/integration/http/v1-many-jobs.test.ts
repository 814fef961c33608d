import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { type Api, startApi } from '../../support/api-site.ts';

const JOBS = 12_000;
const page = z.object({ jobs: z.array(z.unknown()), nextCursor: z.string().nullable() });

/** Indexes with many jobs that both filters name, and whose records say otherwise: the most that a search may look at. */
async function plantJobs({ redis, app: { keys } }: Api): Promise<void> {
  const now = Date.now();
  for (const index of [keys.allJobs, keys.jobIndex('account:acme'), keys.jobIndex('state:queued')]) {
    for (let from = 0; from < JOBS; from += 1_000) {
      await redis.zadd(
        index,
        ...Array.from({ length: 1_000 }, (_, at) => [now - from - at, `job-${from + at}`]).flat(),
      );
    }
  }
}

/** Calls back with each request that the server of this process begins. */
function onRequest(listener: (request: IncomingMessage) => void): void {
  const hear = (message: unknown) => listener((message as { request: IncomingMessage }).request);
  subscribe('http.server.request.start', hear);
  onTestFinished(() => void unsubscribe('http.server.request.start', hear));
}

describe('a search by two filters among many jobs', () => {
  const path = '/v1/publishes?account=acme&state=queued';

  it('reads 2,000 records at most for one request, and says where to go on', async () => {
    const api = await startApi();
    await plantJobs(api);
    let requests = 0;
    for (let cursor: string | null = ''; cursor !== null; requests += 1) {
      const looks = vi.spyOn(Redis.prototype, 'zrevrangebyscore');
      const answer = await api.call('GET', `${path}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(answer.status).toBe(200);
      expect(looks.mock.calls.length).toBeLessThanOrEqual(10);
      looks.mockRestore();
      const found = page.parse(answer.body);
      expect(found.jobs).toEqual([]);
      cursor = found.nextCursor;
    }
    expect(requests).toBeGreaterThanOrEqual(JOBS / 2_000);
  });

  it('stops when the client leaves', async () => {
    const api = await startApi();
    await plantJobs(api);
    const client = new AbortController();
    let gone: Promise<unknown> | undefined;
    onRequest((request) => {
      if (request.url === path) gone = new Promise((resolve) => request.once('close', resolve));
    });
    const original = Redis.prototype.zrevrangebyscore;
    const looks = vi.spyOn(Redis.prototype, 'zrevrangebyscore');
    onTestFinished(() => looks.mockRestore());
    const isWhole = await api.call('GET', path);
    expect(isWhole.status).toBe(200);
    const wholeLooks = looks.mock.calls.length;
    looks.mockImplementationOnce(async function look(this: Redis, ...args) {
      client.abort();
      await gone;
      return await Reflect.apply(original, this, args);
    });
    await expect(fetch(`${api.url}${path}`, { signal: client.signal })).rejects.toThrow('abort');
    // Begun later, so over later.
    expect((await api.call('GET', path)).status).toBe(200);
    expect(looks.mock.calls).toHaveLength(wholeLooks + 1 + wholeLooks);
  });
});
