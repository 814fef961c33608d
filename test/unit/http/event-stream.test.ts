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

const pageOf = (count: number) => Array.from({ length: count }, (_, index) => entry(index + 1));

/** A feed of these pages, which then is silent; tells how often it was asked. */
function feedOf(pages: readonly (readonly EventEntry[])[]) {
  let asked = 0;
  const feed: EventFeed = {
    started: Promise.resolve(),
    cursor: '99-0',
    next: () => Promise.reject(new Error('not asked')),
    nextPage: async () => pages[asked++] ?? (await new Promise<never>(() => undefined)),
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
    const texts = renderEvents(feedOf([pageOf(1)]).feed);
    expect((await texts.next()).value).toBe('retry: 3000\n\n');
    const { value } = await texts.next();
    const [id, event, data = '', ...rest] = String(value).split('\n');
    expect([id, event, ...rest]).toEqual(['id: 1-0', 'event: account.reauthorization_required', '', '']);
    expect(JSON.parse(data.replace('data: ', ''))).toEqual(entry(1).event);
  });

  it('says while nothing happens that it is there, and how far it has come', async () => {
    const texts = renderEvents(feedOf([]).feed, { heartbeatMs: 1 });
    await texts.next();
    expect((await texts.next()).value).toBe(': still there\nid: 99-0\n\n');
    expect((await texts.next()).value).toBe(': still there\nid: 99-0\n\n');
  });

  it('sends the events of a page at once, each with its cursor', async () => {
    const texts = renderEvents(feedOf([pageOf(3)]).feed);
    await texts.next();
    const ids = String((await texts.next()).value).match(/^id: .*$/gm);
    expect(ids).toEqual(['id: 1-0', 'id: 2-0', 'id: 3-0']);
  });

  it('has the same bytes as another one that is as far, rendered once', async () => {
    const page = pageOf(2);
    const [one, other] = [renderEvents(feedOf([page]).feed), renderEvents(feedOf([page]).feed)];
    await Promise.all([one.next(), other.next()]);
    expect((await one.next()).value).toBe((await other.next()).value);
  });

  it('fetches no more than a client has taken, however slow it is', async () => {
    const { feed, asked } = feedOf(Array(10_000).fill(pageOf(100)));
    const stream = Readable.from(renderEvents(feed));
    const pieces = stream.iterator();
    for (let taken = 0; taken < 5; taken += 1) await pieces.next();
    expect(asked()).toBeLessThan(10);
    await pieces.return?.();
  });
});
