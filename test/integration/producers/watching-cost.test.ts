import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it, type MockInstance, vi } from 'vitest';
import type { PublishEventType } from '../../../src/core/publish-event.ts';
import type { PublishJob } from '../../../src/core/publish-job.ts';
import type { PublishState } from '../../../src/core/publish-state.ts';
import { createEventLooks, type EventLooks } from '../../../src/producers/event-looks.ts';
import { createEventTail, type EventTail, type TailNews } from '../../../src/producers/event-tail.ts';
import { followEvents } from '../../../src/producers/follow-events.ts';
import { OLDEST_EVENT } from '../../../src/producers/index.ts';
import type { EventFeed, EventsOptions } from '../../../src/producers/publisher.ts';
import { waitForCompletion } from '../../../src/producers/wait-for-completion.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { eventually } from '../../support/eventually.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

/* What watching a job costs while much happens to others, held by counts; `npm run bench` measures it on a busy system. */

/** Fewer than a look takes at once: a full page asks for another look. */
const OTHERS = 20;

let redis: RedisClient;
let eventsKey: string;
let tail: EventTail;
let looks: EventLooks;

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
  looks = createEventLooks({ connect: async () => redis, eventsKey });
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

/** Once by itself, and once when the tail begins to listen. */
const hasLookedAtStart = async (look: MockInstance): Promise<void> => {
  await eventually(() => look.mock.calls.length === 2);
};

const follow = (options: EventsOptions = {}): EventFeed =>
  followEvents(options, { tail, looks, eventsKey, connect: async () => redis, createdAt: vi.fn() });

/** Takes so many events. @returns their cursors */
async function take(feed: EventFeed, count: number): Promise<string[]> {
  const cursors: string[] = [];
  while (cursors.length < count) cursors.push(...(await feed.nextPage()).map(({ cursor }) => cursor));
  return cursors;
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
  const feed = follow({ subject: 'own' });
  const taken: string[] = [];
  const taking = (async () => {
    for await (const { cursor } of feed) taken.push(cursor);
  })();
  await hasLookedAtStart(look);
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

it('a hundred feeds read the stream as often as one does', async () => {
  await tell('first', 'publish.started');
  const look = vi.spyOn(redis, 'xrange');
  const feeds = Array.from({ length: 100 }, () => follow());
  await Promise.all(feeds.map(({ started }) => started));
  const taking = Promise.all(feeds.map((feed) => take(feed, OTHERS)));
  await eventually(async () => String(await redis.client('LIST')).includes('cmd=xread'));
  look.mockClear();
  await tellOfOthers();
  const [cursors, ...others] = await taking;
  for (const other of others) expect(other).toEqual(cursors);
  // Each event may be read by itself, and each look may be one too early.
  expect(look.mock.calls.length).toBeLessThanOrEqual(2 * OTHERS);
  await Promise.all(feeds.map((feed) => feed.return()));
});

it('feeds at the same place share what was read, entry by entry', async () => {
  await tellOfOthers();
  const [first] = await follow({ after: OLDEST_EVENT }).nextPage();
  const feeds = [follow({ after: first?.cursor }), follow({ after: first?.cursor })];
  const [page, same] = await Promise.all(feeds.map((feed) => feed.nextPage()));
  expect(page?.length).toBeGreaterThan(0);
  expect(page).toBe(same);
});

it('a feed that is not read holds nobody up, and has everything in order when it is', async () => {
  await tell('first', 'publish.started');
  const [slow, quick] = [follow(), follow()];
  await Promise.all([slow.started, quick.started]);
  const taken: string[] = [];
  const told: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    await tellOfOthers();
    taken.push(...(await take(quick, OTHERS)));
    if (round === 0) told.push(...(await take(slow, 1)));
  }
  told.push(...(await take(slow, taken.length - told.length)));
  expect(told).toEqual(taken);
  expect(taken).toHaveLength(5 * OTHERS);
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
