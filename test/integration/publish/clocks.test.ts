import { describe, expect, it, onTestFinished } from 'vitest';
import { HOUR_MS } from '../../../src/core/units.ts';
import { createAccountNames } from '../../../src/lanes/account-names.ts';
import { createLanes } from '../../../src/lanes/lanes.ts';
import { createLedger } from '../../../src/ledger/ledger.ts';
import { createCaps } from '../../../src/quota/caps.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { startWorkers } from '../../../src/workers/index.ts';
import { startPipeline } from '../../support/pipeline.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { makeVideo } from '../../support/videos.ts';

describe('a worker whose clock is wrong', () => {
  it.each([
    ['an hour ahead', HOUR_MS],
    ['an hour behind', -HOUR_MS],
  ])('by %s still publishes each job once, one after the other', async (_, aheadMs) => {
    const pipeline = await startPipeline({ workers: false, simulator: { processingMs: 20 } });
    onTestFinished(() => pipeline.close());
    const connection = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'worker');
    onTestFinished(() => closeRedis(connection));
    const clock = { now: () => Date.now() + aheadMs };
    const parts = { redis: pipeline.redis, keys: pipeline.keys, clock };
    const workers = startWorkers({
      deps: {
        ...pipeline.deps,
        clock,
        ledger: createLedger(parts),
        caps: createCaps(parts),
        lanes: createLanes(parts),
        accountNames: createAccountNames(parts),
      },
      connection,
      prefix: pipeline.prefix,
      concurrency: { upload: 4, status: 20 },
    });
    onTestFinished(() => workers.close({ timeoutMs: 0 }));
    const path = await makeVideo(pipeline.folder, 1_000_000);
    const request = {
      account: 'acme',
      mode: 'direct',
      media: { type: 'file', path },
      post: { privacyLevel: 'SELF_ONLY' },
    } as const;
    const jobs = await pipeline.publisher.enqueueBulk([request, request, request]);
    for (const { id } of jobs) {
      const job = await pipeline.publisher.waitForCompletion(id, { timeoutMs: 20_000 });
      expect(job.state).toBe('published');
    }
    expect(pipeline.simulator.journal.posts()).toHaveLength(jobs.length);
  });
});
