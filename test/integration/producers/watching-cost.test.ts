import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { PublishEventType } from '../../../src/core/publish-event.ts';
import type { PublishJob } from '../../../src/core/publish-job.ts';
import type { PublishState } from '../../../src/core/publish-state.ts';
import { createEventTail, type EventTail, type TailNews } from '../../../src/producers/event-tail.ts';
import { followEvents } from '../../../src/producers/follow-events.ts';
import { waitForCompletion } from '../../../src/producers/wait-for-completion.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { eventually } from '../../support/eventually.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

/* What watching a job costs while much happens to others, held by counts; `npm run bench` measures it on a busy system. */

const OTHERS = 100;

let redis: RedisClient;
let eventsKey: string;
let tail: EventTail;

const openTail = (options: { lookAnywayMs?: number } = {}): EventTail =>
  createEventTail({
    ...{ eventsKey, ...options },
    connect: async () => {
      const blocking = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'blocking');
      return { redis: blocking, close: () => closeRedis(blocking) };
    },
  });

beforeEach(async () => {
  eventsKey = createKeys(freshPrefix()).events;
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'producer');
  tail = openTail();
});

afterEach(async () => {
  await tail.close();
  await closeRedis(redis);
});

/** Puts an event on the stream as the ledger does. @returns its cursor */
async function tell(subject: string, type: PublishEventType): Promise<string> {
  const event = {
    ...{ specversion: '1.0', id: randomUUID(), source: 'urn:tiktok-publisher', type, subject },
    ...{ time: new Date().toISOString(), datacontenttype: 'application/json', data: { id: subject, account: 'acme' } },
  };
  return String(await redis.xadd(eventsKey, '*', 'subject', subject, 'event', JSON.stringify(event)));
}

/** Lets things happen to other jobs, one after the other. @returns the last cursor */
async function tellOfOthers(): Promise<string> {
  let cursor = '';
  for (let other = 0; other < OTHERS; other += 1) cursor = await tell(`other-${other}`, 'publish.published');
  return cursor;
}

it('one who waits for a job reads it at the beginning and at its outcome', async () => {
  const job = { id: 'own', state: 'queued' as PublishState };
  const read = vi.fn(async () => ({ ...job }) as PublishJob);
  let heard = '';
  tail.listen((news) => {
    heard = news?.to ?? heard;
  });
  const waiting = waitForCompletion('own', {}, { tail, read });
  await eventually(() => read.mock.calls.length === 2);
  // The tail listens from here on.
  read.mockClear();
  await tell('own', 'publish.started');
  await tellOfOthers();
  const last = await tell('own', 'publish.upload.completed');
  await eventually(() => heard === last);
  expect(read).not.toHaveBeenCalled();
  job.state = 'published';
  await tell('own', 'publish.published');
  expect(await waiting).toMatchObject({ state: 'published' });
  expect(read).toHaveBeenCalledOnce();
});

it('a feed about a job reads the stream at most twice for each of its events', async () => {
  const look = vi.spyOn(redis, 'xrange');
  const feed = followEvents({ subject: 'own' }, { tail, eventsKey, connect: async () => redis, createdAt: vi.fn() });
  const taken: string[] = [];
  const taking = (async () => {
    for await (const { cursor } of feed) taken.push(cursor);
  })();
  await eventually(async () => String(await redis.client('LIST')).includes('cmd=xread'));
  look.mockClear();
  const changes: string[] = [];
  for (const type of ['publish.started', 'publish.upload.completed', 'publish.published'] as const) {
    await tellOfOthers();
    changes.push(await tell('own', type));
  }
  const last = await tellOfOthers();
  await eventually(() => feed.cursor === last);
  expect(taken).toEqual(changes);
  expect(look.mock.calls.length).toBeLessThanOrEqual(2 * changes.length);
  await feed.return();
  await taking;
});

it('listeners are told to look now and then although nothing was missed', async () => {
  const wary = openTail({ lookAnywayMs: 0 });
  const told: (TailNews | undefined)[] = [];
  const stop = wary.listen((news) => told.push(news));
  await eventually(() => told.length === 1);
  await tell('other', 'publish.published');
  await eventually(() => told.length === 2);
  expect(told).toEqual([undefined, undefined]);
  stop();
  await wary.close();
});
