import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import pino from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { createLedger } from '../../../src/ledger/ledger.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { startSweep } from '../../../src/workers/runtime/sweep.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { freshPrefix } from '../../support/redis.ts';
import { startRedisServer } from '../../support/redis-server.ts';

it('a sweep that Redis interrupts is logged as such, without a stack', async () => {
  const pipeline = await startTestPipeline({ workers: false });
  const server = await startRedisServer(['save ""']);
  const redis = await connectRedis({ kind: 'url', url: `redis://127.0.0.1:${server.port}` }, 'producer');
  onTestFinished(() => closeRedis(redis));
  await server.close();
  const lines = new PassThrough();
  const deps = {
    ...pipeline.deps,
    ledger: createLedger({ redis, keys: createKeys(freshPrefix()), clock: Date }),
    log: pino(lines),
  };
  const stopSweep = startSweep(deps, async () => true);
  onTestFinished(stopSweep);
  const [line] = await once(lines, 'data');
  const told: unknown = JSON.parse(String(line));
  expect(told).toMatchObject({ msg: 'sweep interrupted', code: 'REDIS_UNAVAILABLE', reason: expect.any(String) });
  expect(told).not.toHaveProperty('err');
});
