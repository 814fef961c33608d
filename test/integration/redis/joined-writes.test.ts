import { afterEach, expect, it } from 'vitest';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { testRedisUrl } from '../../support/redis.ts';

const clients: RedisClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map(closeRedis));
});

async function connect(): Promise<RedisClient> {
  const client = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
  clients.push(client);
  return client;
}

/** How many packets a client's socket was given. */
function countWrites(client: RedisClient): () => number {
  if (!('stream' in client)) throw new Error('expected one connection');
  const { stream } = client;
  let writes = 0;
  for (const name of ['_write', '_writev'] as const) {
    const write = stream[name]?.bind(stream) as (...args: unknown[]) => void;
    stream[name] = (...args: unknown[]) => {
      writes += 1;
      write(...args);
    };
  }
  return () => writes;
}

it('calls of one turn of the event loop go to Redis together, in their order', async () => {
  const client = await connect();
  const writes = countWrites(client);
  const answers = await Promise.all(['a', 'b', 'c', 'd'].map((text) => client.echo(text)));
  expect(answers).toEqual(['a', 'b', 'c', 'd']);
  expect(writes()).toBe(1);
});

it('a call that was not sent yet is made before the connection ends', async () => {
  const client = await connect();
  const answer = client.echo('last');
  await closeRedis(client);
  expect(await answer).toBe('last');
});
