import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { renderEvents } from '../../../src/http/v1/event-routes.ts';
import type { EventEntry, EventFeed } from '../../../src/producers/publisher.ts';

function entry(number: number): EventEntry {
  return {
    cursor: `${number}-0`,
    event: {
      ...{ specversion: '1.0', id: `event-${number}`, source: 'urn:tiktok-publisher' },
      type: 'account.reauthorization_required',
      ...{ subject: 'job', time: '2026-12-01T10:00:00.000Z', datacontenttype: 'application/json' },
      data: { account: 'acme', reason: 'two\nlines' },
    },
  };
}

/** A feed of so many events, which then is silent; tells how often it was asked. */
function feedOf(count: number) {
  let asked = 0;
  const feed: EventFeed = {
    started: Promise.resolve(),
    cursor: '99-0',
    async next() {
      asked += 1;
      if (asked > count) return await new Promise(() => undefined);
      return { done: false, value: entry(asked) };
    },
    return: async () => ({ done: true, value: undefined }),
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  return { feed, asked: () => asked };
}

describe('an event stream', () => {
  it('has the cursor as id, the type as event, and the event on one line', async () => {
    const texts = renderEvents(feedOf(1).feed);
    expect((await texts.next()).value).toBe('retry: 3000\n\n');
    const { value } = await texts.next();
    const [id, event, data = '', ...rest] = (value ?? '').split('\n');
    expect([id, event, ...rest]).toEqual(['id: 1-0', 'event: account.reauthorization_required', '', '']);
    expect(JSON.parse(data.replace('data: ', ''))).toEqual(entry(1).event);
  });

  it('says while nothing happens that it is there, and how far it has come', async () => {
    const texts = renderEvents(feedOf(0).feed, { heartbeatMs: 1 });
    await texts.next();
    expect((await texts.next()).value).toBe(': still there\nid: 99-0\n\n');
    expect((await texts.next()).value).toBe(': still there\nid: 99-0\n\n');
  });

  it('fetches no more than a client has taken, however slow it is', async () => {
    const { feed, asked } = feedOf(10_000);
    const stream = Readable.from(renderEvents(feed));
    const pieces = stream.iterator();
    for (let taken = 0; taken < 5; taken += 1) await pieces.next();
    expect(asked()).toBeLessThan(10);
    await pieces.return?.();
  });
});
