import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { openRedisAccess } from '../../../src/app/redis-access.ts';
import { openRedisConnections } from '../../../src/redis/connections.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

it('a connection that opens while its process closes is closed', async () => {
  const redis = { kind: 'url', url: testRedisUrl() } as const;
  const folder = tmpdir();
  const config = { redis, dataDir: folder, cacheDir: folder, queuePrefix: freshPrefix() };
  const access = await openRedisAccess(config);
  const opening = access.openConnection('blocking');
  const closing = access.close();
  await expect(opening).rejects.toThrow('closed while connecting');
  await closing;
  expect(openRedisConnections()).toEqual([]);
});
