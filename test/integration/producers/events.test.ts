import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import type { PublishEventType } from '../../../src/core/publish-event.ts';
import { type EventEntry, type EventFeed, OLDEST_EVENT, type Publisher } from '../../../src/producers/index.ts';
import { closeRedis, connectRedis, openRedisConnections } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { eventually } from '../../support/eventually.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';
import { rejection } from '../../support/rejection.ts';

let redis: RedisClient;
let prefix: string;
let eventsKey: string;
let publisher: Publisher;

beforeEach(async () => {
  prefix = freshPrefix();
  eventsKey = createKeys(prefix).events;
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
  publisher = createPublisherFromConfig({
    redis: { kind: 'url', url: testRedisUrl() },
    ...{ dataDir: '', cacheDir: '', queuePrefix: prefix, retentionMs: 86_400_000 },
  });
});

afterEach(async () => {
  await publisher.close();
  await closeRedis(redis);
  expect(openRedisConnections()).toEqual([]);
});

const REQUEST = {
  account: 'acme',
  mode: 'inbox',
  media: { type: 'file', path: '/videos/a.mp4' },
} as const;

interface Told {
  readonly subject?: string;
  readonly account?: string;
  readonly type?: PublishEventType;
  /** Place on the stream; the next one unless told. */
  readonly at?: string;
}

/** Puts an event on the stream as the ledger does. @returns its cursor */
async function tell({ subject = 'job-1', account = 'acme', type = 'publish.started', at = '*' }: Told = {}) {
  const event = {
    ...{ specversion: '1.0', id: randomUUID(), source: 'urn:tiktok-publisher', type, subject },
    ...{ time: new Date().toISOString(), datacontenttype: 'application/json', data: { id: subject, account } },
  };
  return (await redis.xadd(eventsKey, at, 'subject', subject, 'event', JSON.stringify(event))) ?? '';
}

async function take(feed: EventFeed, count: number): Promise<EventEntry[]> {
  const entries: EventEntry[] = [];
  while (entries.length < count) {
    const { value } = await feed.next();
    if (value === undefined) throw new Error(`the feed ended after ${entries.length} of ${count}`);
    entries.push(value);
  }
  return entries;
}

const cursorsOf = (entries: readonly EventEntry[]) => entries.map(({ cursor }) => cursor);

/** Resolves once the shared read listens, so that what happens then comes by it. */
async function tailReads(): Promise<void> {
  await eventually(async () => String(await redis.client('LIST')).includes('cmd=xread'));
}

describe('the feed of events', () => {
  it('begins with what happens after the call', async () => {
    await tell();
    const feed = publisher.events();
    const job = await publisher.enqueue(REQUEST);
    const [entry] = await take(feed, 1);
    expect(entry?.event).toMatchObject({ type: 'publish.queued', subject: job.id, data: { account: 'acme' } });
    expect(feed.cursor).toBe(entry?.cursor);
  });

  it('goes on after the cursor of any event, in another process too', async () => {
    const cursors = [await tell(), await tell(), await tell()];
    const [first] = await take(publisher.events({ after: OLDEST_EVENT }), 1);
    expect(first?.cursor).toBe(cursors[0]);
    const feed = publisher.events({ after: first?.cursor });
    expect(cursorsOf(await take(feed, 2))).toEqual(cursors.slice(1));
    const waiting = take(feed, 1);
    await tailReads();
    const fourth = await tell();
    expect(cursorsOf(await waiting)).toEqual([fourth]);
  });

  it('reads more than one look of events in order and each once', async () => {
    const cursors: string[] = [];
    for (let index = 0; index < 1_203; index += 1) cursors.push(await tell({ subject: `job-${index}` }));
    const feed = publisher.events({ after: OLDEST_EVENT });
    expect(cursorsOf(await take(feed, 1_203))).toEqual(cursors);
  });

  it('is shared: a hundred feeds hold one blocking connection', async () => {
    await tell();
    const feeds = Array.from({ length: 100 }, () => publisher.events());
    await Promise.all(feeds.map(({ started }) => started));
    const waiting = feeds.map((feed) => take(feed, 1));
    await tailReads();
    const cursor = await tell();
    for (const entries of await Promise.all(waiting)) expect(cursorsOf(entries)).toEqual([cursor]);
    expect(openRedisConnections().filter(({ role }) => role === 'blocking')).toHaveLength(1);
    await Promise.all(feeds.map((feed) => feed.return()));
  });

  it('skips what somebody else put on the stream', async () => {
    await redis.xadd(eventsKey, '*', 'subject', 'x', 'event', '{"no":"event"');
    await redis.xadd(eventsKey, '*', 'other', 'fields');
    const cursor = await tell();
    expect(cursorsOf(await take(publisher.events({ after: OLDEST_EVENT }), 1))).toEqual([cursor]);
  });
});

describe('a feed about a subject', () => {
  it('has the events of one job, or those of an account and its jobs', async () => {
    const one = await tell({ subject: 'job-1', account: 'acme' });
    await tell({ subject: 'job-2', account: 'other' });
    const three = await tell({ subject: 'job-3', account: 'acme' });
    const four = await tell({ subject: 'acme', type: 'account.reauthorization_required' });
    const five = await tell({ subject: 'job-1', account: 'acme' });
    const ofJob = publisher.events({ subject: 'job-1', after: OLDEST_EVENT });
    expect(cursorsOf(await take(ofJob, 2))).toEqual([one, five]);
    const ofAccount = publisher.events({ subject: 'acme', after: OLDEST_EVENT });
    expect(cursorsOf(await take(ofAccount, 4))).toEqual([one, three, four, five]);
  });

  it('moves its cursor past the events of others, so that it stays young', async () => {
    const feed = publisher.events({ subject: 'job-1' });
    const waiting = take(feed, 1);
    await tailReads();
    let others = '';
    for (let index = 0; index < 20; index += 1) others = await tell({ subject: 'job-2' });
    await eventually(() => feed.cursor === others);
    const mine = await tell({ subject: 'job-1' });
    expect(cursorsOf(await waiting)).toEqual([mine]);
    expect(feed.cursor).toBe(mine);
  });

  it('does not look through what happened long before its job was made', async () => {
    const job = await publisher.enqueue(REQUEST);
    await redis.del(eventsKey);
    await tell({ subject: job.id, at: `${Date.now() - 3_600_000}-0` });
    const cursor = await tell({ subject: job.id });
    const feed = publisher.events({ subject: job.id, after: OLDEST_EVENT });
    expect(cursorsOf(await take(feed, 1))).toEqual([cursor]);
  });
});

describe('the end of a feed', () => {
  const ends: [string, (feed: EventFeed, stop: AbortController) => Promise<unknown>][] = [
    ['its signal', async (_, stop) => stop.abort()],
    ['return()', (feed) => feed.return()],
    ['the end of the publisher', () => publisher.close()],
  ];

  it.each(ends)('comes by %s while next() waits, which resolves as done', async (_, end) => {
    const stop = new AbortController();
    const feed = publisher.events({ signal: stop.signal });
    await feed.started;
    const waiting = feed.next();
    await tailReads();
    await end(feed, stop);
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await feed.next()).toEqual({ done: true, value: undefined });
  });

  it('comes at once for a signal that was aborted before', async () => {
    await tell();
    const feed = publisher.events({ after: OLDEST_EVENT, signal: AbortSignal.abort() });
    expect(await feed.next()).toEqual({ done: true, value: undefined });
  });

  it('comes by break, and another feed begins as before', async () => {
    await tell();
    for await (const { cursor } of publisher.events({ after: OLDEST_EVENT })) {
      expect(cursor).toMatch(/^\d+-\d+$/);
      break;
    }
    const feed = publisher.events({ after: OLDEST_EVENT });
    expect(await take(feed, 1)).toHaveLength(1);
  });

  it('was there before a publisher that is closed already', async () => {
    await publisher.close();
    const feed = publisher.events();
    expect((await rejection(feed.next())).code).toBe('INPUT_INVALID');
  });
});

describe('a cursor', () => {
  it.each(['', 'x', '1', '-', '1-', '1-2-3', '0x1-0', '1-1 ', '99999999999999999999-0', '1-99999999999999999'])(
    '%j is refused, naming the field',
    async (after) => {
      const feed = publisher.events({ after });
      const error = await rejection(feed.started);
      expect(error.code).toBe('INPUT_INVALID');
      expect(error.details.problems?.map(({ path }) => path)).toEqual(['after']);
      expect((await rejection(feed.next())).code).toBe('INPUT_INVALID');
    },
  );

  it('whose following events were dropped is refused, and says what is kept', async () => {
    const cursors = [await tell(), await tell(), await tell(), await tell()];
    await redis.xtrim(eventsKey, 'MAXLEN', 2);
    const error = await rejection(publisher.events({ after: cursors[0] }).started);
    expect(error.code).toBe('EVENTS_CURSOR_LOST');
    expect(error.message).toContain(cursors[0]);
    expect(error.message).toContain(cursors[2]);
    const kept = publisher.events({ after: OLDEST_EVENT });
    expect(cursorsOf(await take(kept, 2))).toEqual(cursors.slice(2));
    expect(cursorsOf(await take(publisher.events({ after: cursors[2] }), 1))).toEqual([cursors[3]]);
  });

  it('is lost while a reader falls behind, which the reader is told', async () => {
    const first = await tell();
    const feed = publisher.events({ after: OLDEST_EVENT });
    expect(cursorsOf(await take(feed, 1))).toEqual([first]);
    for (let index = 0; index < 5; index += 1) await tell();
    await redis.xtrim(eventsKey, 'MAXLEN', 2);
    expect((await rejection(feed.next())).code).toBe('EVENTS_CURSOR_LOST');
    expect(await feed.next()).toEqual({ done: true, value: undefined });
  });

  it('of a stream that is gone is refused, too', async () => {
    const cursor = await tell();
    await redis.del(eventsKey);
    expect((await rejection(publisher.events({ after: cursor }).started)).code).toBe('EVENTS_CURSOR_LOST');
  });
});
