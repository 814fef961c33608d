import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import type { EventLook, EventLooks } from '../../../src/producers/event-looks.ts';
import type { EventTail, TailListener } from '../../../src/producers/event-tail.ts';
import { followEvents } from '../../../src/producers/follow-events.ts';
import type { EventsOptions } from '../../../src/producers/publisher.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';

const END = { done: true, value: undefined };

it('asks Redis no second time at once when it is away just after the tail told of an event', async () => {
  const { feed, looked } = follow({ after: '1-0' }, async (tell) => {
    if (looked() === 1) tell({ from: '1-0', to: '2-0', about: new Map([['job', '2-0']]), ended: new Set() });
    throw new PublishError('REDIS_UNAVAILABLE');
  });
  const next = feed.next();
  await settled(looked);
  expect(looked()).toBe(1);
  await feed.return();
  expect(await next).toEqual(END);
});

it('does not look again for what others did while it read what its own job did', async () => {
  const { feed, looked } = follow({ after: '1-0', subject: 'job' }, async (tell, begunAt) => {
    tell({ from: '1-0', to: '2-0', about: new Map([['job', '2-0']]), ended: new Set() });
    tell({ from: '2-0', to: '4-0', about: new Map([['other', '4-0']]), ended: new Set() });
    return { page: [], to: '3-0', isFull: false, begunAt };
  });
  const next = feed.next();
  await settled(looked);
  expect([looked(), feed.cursor]).toEqual([1, '4-0']);
  await feed.return();
  expect(await next).toEqual(END);
});

/** Once it has looked, and had the turns to look again. */
async function settled(looked: () => number): Promise<void> {
  while (looked() === 0) await nextTurn();
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
}

/**
 * A feed whose stream has one event.
 * @param look what a look finds that began at a moment; it can have the tail tell something meanwhile
 */
function follow(options: EventsOptions, look: (tell: TailListener, begunAt: number) => Promise<EventLook>) {
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
      return await look(tell, ++moments);
    },
  };
  const listen = (listener: TailListener) => {
    tell = listener;
    return () => undefined;
  };
  const tail = { listen, isClosed: () => false } as unknown as EventTail;
  const redis = { xrange: async () => [['1-0', []]] } as unknown as RedisClient;
  const connect = async () => redis;
  const deps = { tail, looks, connect, eventsKey: 'events', createdAt: async () => undefined };
  return { feed: followEvents(options, deps), looked: () => looked };
}
