import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import type { EventLooks } from '../../../src/producers/event-looks.ts';
import type { EventTail, TailListener } from '../../../src/producers/event-tail.ts';
import { followEvents } from '../../../src/producers/follow-events.ts';
import type { EventsOptions } from '../../../src/producers/publisher.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';

it('asks Redis no second time at once when it is away just after the tail told of an event', async () => {
  let tell: TailListener = () => undefined;
  let looked = 0;
  let moments = 0;
  const looks: EventLooks = {
    moment: () => ++moments,
    join: () => () => undefined,
    forgetAll: () => undefined,
    after: async () => {
      looked += 1;
      // Ends what would go round for ever.
      if (looked > 10) throw new TypeError('asked again and again');
      if (looked === 1) tell({ from: '1-0', to: '2-0', about: new Map([['job', '2-0']]), ended: new Set() });
      throw new PublishError('REDIS_UNAVAILABLE');
    },
  };
  const feed = follow({ after: '1-0' }, looks, (listener) => {
    tell = listener;
  });
  const next = feed.next();
  while (looked === 0) await nextTurn();
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  expect(looked).toBe(1);
  await feed.return();
  expect(await next).toEqual({ done: true, value: undefined });
});

it('does not look again for what others did while it read what its own job did', async () => {
  let tell: TailListener = () => undefined;
  let looked = 0;
  let moments = 0;
  const looks: EventLooks = {
    moment: () => ++moments,
    join: () => () => undefined,
    forgetAll: () => undefined,
    after: async () => {
      looked += 1;
      // Ends what would go round for ever.
      if (looked > 10) throw new TypeError('looked again and again');
      const begunAt = ++moments;
      tell({ from: '1-0', to: '2-0', about: new Map([['job', '2-0']]), ended: new Set() });
      tell({ from: '2-0', to: '4-0', about: new Map([['other', '4-0']]), ended: new Set() });
      return { page: [], to: '3-0', isFull: false, begunAt };
    },
  };
  const feed = follow({ after: '1-0', subject: 'job' }, looks, (listener) => {
    tell = listener;
  });
  const next = feed.next();
  while (looked === 0) await nextTurn();
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  expect([looked, feed.cursor]).toEqual([1, '4-0']);
  await feed.return();
  expect(await next).toEqual({ done: true, value: undefined });
});

/** A feed whose stream has one event; the tail tells what `onListen` gets the means to tell. */
function follow(options: EventsOptions, looks: EventLooks, onListen: (listener: TailListener) => void) {
  const listen = (listener: TailListener) => {
    onListen(listener);
    return () => undefined;
  };
  const tail = { listen, isClosed: () => false } as unknown as EventTail;
  const redis = { xrange: async () => [['1-0', []]] } as unknown as RedisClient;
  const connect = async () => redis;
  const deps = { tail, looks, connect, eventsKey: 'events', createdAt: async () => undefined };
  return followEvents(options, deps);
}
