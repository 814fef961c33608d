import { request } from 'node:http';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { enqueue, startApi } from '../support/api-site.ts';
import { openEvents } from '../support/event-source.ts';
import { eventually } from '../support/eventually.ts';
import { fuzz } from '../support/fuzz-run.ts';

/** So many that a stream holds a part of them while it waits for its client. */
const EVENTS = 500;

it('keeps nothing of event streams whose clients leave, at whatever moment', { timeout: 3_600_000 }, async () => {
  const api = await startApi({ MAX_EVENT_STREAMS: '20', MAX_EVENT_STREAMS_PER_KEY: '20' });
  const ids = await Promise.all(Array.from({ length: EVENTS }, () => enqueue(api)));
  const inputs = fc.record({
    path: fc.constantFrom('/v1/events', `/v1/publishes/${ids[0]}/events`),
    after: fc.constantFrom(undefined, '0', '0'),
    leaves: fc.constantFrom<Leaving>('asked', 'answered', 'read', 'read', 'read'),
  });
  await fuzz({
    what: 'event streams',
    count: { short: 600, long: 10_000 },
    inputs,
    parallel: 8,
    attempt: async ({ path, after, leaves }) => await openAndLeave(`${api.url}${path}`, after, leaves),
  });
  // All places are free again.
  await eventually(async () => {
    const streams = await Promise.all(Array.from({ length: 20 }, () => openEvents(`${api.url}/v1/events`)));
    for (const { leave } of streams) leave();
    expect(streams.map(({ status }) => status)).toEqual(Array(20).fill(200));
  });
});

type Leaving = 'asked' | 'answered' | 'read';

function openAndLeave(url: string, after: string | undefined, leaves: Leaving): Promise<void> {
  return new Promise((resolve) => {
    const headers = after === undefined ? {} : { 'last-event-id': after };
    const asked = request(url, { agent: false, headers }, (answer) => {
      answer.on('error', () => undefined);
      if (leaves === 'answered') asked.destroy();
      else answer.once('data', () => asked.destroy());
    });
    asked.once('close', resolve).on('error', () => undefined);
    asked.end(() => leaves === 'asked' && setImmediate(() => asked.destroy()));
  });
}
