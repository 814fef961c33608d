import { describe, expect, it, onTestFinished } from 'vitest';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { makeVideo, sha256OfFile } from '../../support/videos.ts';

describe('a Redis that is full', () => {
  it('takes no new job and says so, still shows jobs, and what was begun goes on once there is room', async () => {
    const server = await startRedisServer(['maxmemory-policy noeviction', 'appendonly yes']);
    onTestFinished(() => server.close());
    const url = `redis://127.0.0.1:${server.port}`;
    const operator = await connectRedis({ kind: 'url', url }, 'ledger');
    onTestFinished(() => closeRedis(operator));
    const pipeline = await startTestPipeline({ redisUrl: url, workers: false, simulator: { processingMs: 20 } });
    const path = await makeVideo(pipeline.folder, 12_000_000);
    const request = {
      account: 'acme',
      mode: 'direct',
      media: { type: 'file', path },
      post: { privacyLevel: 'SELF_ONLY' },
    } as const;
    pipeline.simulator.faults.add({
      endpoint: 'upload',
      when: { times: 'always' },
      act: { kind: 'slow_read', bytesPerSecond: 6_000_000 },
    });
    const { id } = await pipeline.publisher.enqueue(request);
    await pipeline.startWorkers();
    await eventually(async () => expect((await pipeline.publisher.get(id))?.state).toBe('uploading'));

    await operator.config('SET', 'maxmemory', '1');
    await expect(pipeline.publisher.enqueue(request)).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringContaining('Redis is full and rejects writes'),
    });
    expect((await pipeline.publisher.list({})).jobs.map((job) => job.id)).toEqual([id]);
    // The worker meets it, too, and stops sending what it could not write down.
    await eventually(async () => expect(await operator.info('errorstats')).toMatch(/errorstat_OOM:count=([3-9]|\d\d)/));
    expect((await pipeline.publisher.get(id))?.state).toBe('uploading');

    await operator.config('SET', 'maxmemory', '0');
    pipeline.simulator.faults.clear();
    expect(await pipeline.publisher.waitForCompletion(id)).toMatchObject({ state: 'published' });
    expect(pipeline.simulator.journal.posts().map(({ sha256 }) => sha256)).toEqual([await sha256OfFile(path)]);
  }, 60_000);
});
