import pino from 'pino';
import { expect, it } from 'vitest';
import { startCallbackRelay } from '../../../src/callbacks/callback-relay.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedisServer } from '../../support/redis-server.ts';

const PREFIX = '{relay}';
const EVENT = {
  ...{ specversion: '1.0', id: 'job-1', source: 's', type: 'publish.queued', subject: 'job', time: 't' },
  ...{ datacontenttype: 'application/json', data: {} },
};

const NO_LINES = { hasLines: () => false, hasLine: () => false, waitFor: async () => undefined };

it('the relay of callbacks stops at once, even while Redis is away', async () => {
  const server = await startRedisServer([]);
  const target = { kind: 'url', url: `redis://127.0.0.1:${server.port}` } as const;
  const redis = await connectRedis(target, 'ledger');
  const blocking = await connectRedis(target, 'blocking');
  const keys = createKeys(PREFIX);
  const taken: string[] = [];
  const stopRelay = startCallbackRelay({
    queues: { addEventEntry: async ({ event }) => void taken.push(event.id) },
    log: pino({ level: 'silent' }),
    ...{ random: () => 0, ledger: { read: async () => undefined } },
    callbacks: { relay: { redis: blocking, keys }, schedule: { delaysMs: [1] }, gate: NO_LINES },
  });
  await redis.xadd(keys.callbackOutbox, '*', 'id', EVENT.id, 'event', JSON.stringify(EVENT));
  await eventually(() => taken.includes(EVENT.id));
  await server.close();
  await eventually(() => blocking.status === 'reconnecting');
  await stopRelay();
  expect(blocking.status).not.toBe('ready');
  await Promise.all([closeRedis(blocking), closeRedis(redis)]);
});
