import { expect, it, onTestFinished } from 'vitest';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { probeWrite } from '../../../src/redis/write-probe.ts';
import { startWorkers } from '../../../src/workers/index.ts';
import { eventually } from '../../support/eventually.ts';
import { startPipeline } from '../../support/pipeline.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { makeVideo } from '../../support/videos.ts';

it('workers that get no answer although Redis serves are started anew', { timeout: 180_000 }, async () => {
  const pipeline = await startPipeline({ workers: false, simulator: { processingMs: 20 } });
  onTestFinished(() => pipeline.close());
  const target = { kind: 'url', url: testRedisUrl() } as const;
  const connect = async () => {
    const client = await connectRedis(target, 'worker');
    onTestFinished(() => closeRedis(client));
    return client;
  };
  const connection = await connect();
  const workers = startWorkers({
    ...{ deps: pipeline.deps, connection, prefix: pipeline.prefix, concurrency: { upload: 1, status: 1 } },
    probeRedis: () => probeWrite(target, createKeys(pipeline.prefix)),
    connectAnew: connect,
  });
  onTestFinished(() => workers.close({ timeoutMs: 0 }));
  await eventually(() => workers.isRunning());
  // As a client that lost track: what it is asked is never answered.
  Reflect.set(connection, 'sendCommand', () => new Promise(() => undefined));
  const path = await makeVideo(pipeline.folder, 1_000);
  const { id } = await pipeline.publisher.enqueue({ account: 'acme', mode: 'inbox', media: { type: 'file', path } });
  await eventually(() => !workers.isRunning());
  expect((await pipeline.publisher.waitForCompletion(id, { timeoutMs: 90_000 })).state).toBe('in_inbox');
  Reflect.deleteProperty(connection, 'sendCommand');
});
