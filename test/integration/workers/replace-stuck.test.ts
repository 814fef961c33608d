import { expect, it } from 'vitest';
import type { App } from '../../../src/app/open-app.ts';
import { runWorkers } from '../../../src/app/open-workers.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

it('workers that get no answer although Redis serves are started anew', async () => {
  const pipeline = await startTestPipeline({ workers: false, simulator: { processingMs: 20 } });
  // As a client that lost track: what it is asked is never answered.
  const clients: RedisClient[] = [];
  const connect: App['connect'] = async (role) => {
    const client = await pipeline.app.connect(role);
    clients.push(client);
    return client;
  };
  const service = { ...pipeline.service, app: { ...pipeline.app, connect } };
  const workers = await runWorkers(service, pipeline.deps, { only: ['upload', 'status'] });
  const [connection] = clients;
  if (connection === undefined) throw new Error('the workers made no connection');
  await eventually(() => workers.isRunning());
  Reflect.set(connection, 'sendCommand', () => new Promise(() => undefined));
  const path = await makeVideo(pipeline.folder, 1_000);
  const { id } = await pipeline.publisher.enqueue({ account: 'acme', mode: 'inbox', media: { type: 'file', path } });
  await eventually(() => !workers.isRunning());
  expect((await pipeline.publisher.waitForCompletion(id, { timeoutMs: 90_000 })).state).toBe('in_inbox');
  Reflect.deleteProperty(connection, 'sendCommand');
});
