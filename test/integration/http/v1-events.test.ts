import { describe, expect, it } from 'vitest';
import { enqueue, startApi, useApi } from '../../support/api-site.ts';
import { openEvents } from '../../support/event-source.ts';
import { eventually } from '../../support/eventually.ts';

describe('GET /v1/events', () => {
  it('tells what happens to all jobs from the moment it answers', async () => {
    const api = await startApi();
    await enqueue(api);
    const events = await openEvents(`${api.url}/v1/events`);
    expect(events.status).toBe(200);
    expect(events.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(events.headers.get('cache-control')).toBe('no-store');
    const id = await enqueue(api);
    const queued = await events.next();
    expect(queued).toMatchObject({ type: 'publish.queued', event: { type: 'publish.queued', subject: id } });
    await api.call('POST', `/v1/publishes/${id}/cancel`);
    expect(await events.next()).toMatchObject({ type: 'publish.cancelled', event: { subject: id } });
  });

  it('goes on behind the last event that a client got', async () => {
    const api = await startApi();
    const ids = [await enqueue(api), await enqueue(api), await enqueue(api)];
    const all = await openEvents(`${api.url}/v1/events`, { 'last-event-id': '0' });
    const first = await all.next();
    expect(first?.event.subject).toBe(ids[0]);
    all.leave();
    const rest = await openEvents(`${api.url}/v1/events`, { 'last-event-id': first?.id ?? '' });
    expect((await rest.next())?.event.subject).toBe(ids[1]);
    expect((await rest.next())?.event.subject).toBe(ids[2]);
  });

  const shared = useApi();

  it.each(['yesterday', '1-', '-1-1', '99999999999999999999-0', '1-1 OR 1=1'])(
    'refuses the place "%s" by the name of its header',
    async (place) => {
      const answer = await shared().call('GET', '/v1/events', undefined, { 'last-event-id': place });
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ code: 'INPUT_INVALID', problems: [{ path: 'last-event-id' }] });
    },
  );

  it('ends when the server stops, which it does not hold up', async () => {
    const api = await startApi();
    const streams = [await openEvents(`${api.url}/v1/events`), await openEvents(`${api.url}/v1/events`)];
    const ended = Promise.all(streams.map((stream) => stream.next()));
    await api.app.close();
    expect(await ended).toEqual([undefined, undefined]);
  });

  it('are limited for each key, so that none has the places of all', async () => {
    const api = await startApi({ API_KEYS: 'first-api-key,second-api-key', MAX_EVENT_STREAMS_PER_KEY: '2' });
    const follow = async (key: string) =>
      await openEvents(`${api.url}/v1/events`, { authorization: `Bearer ${key}-api-key` });
    const [first] = [await follow('first'), await follow('first')];
    const refused = await api.call('GET', '/v1/events', undefined, { authorization: 'Bearer first-api-key' });
    expect([refused.status, refused.body]).toMatchObject([503, { code: 'TOO_MANY_STREAMS' }]);
    expect(refused.text).toContain('MAX_EVENT_STREAMS_PER_KEY');
    expect((await follow('second')).status).toBe(200);
    first?.leave();
    await eventually(async () => expect((await follow('first')).status).toBe(200));
  });

  it('leaves nothing behind when clients leave', async () => {
    const api = await startApi();
    for (let round = 0; round < 20; round += 1) {
      const stream = await openEvents(`${api.url}/v1/events`);
      expect(stream.status).toBe(200);
      stream.leave();
    }
    const id = await enqueue(api);
    expect((await api.call('GET', `/v1/publishes/${id}`)).status).toBe(200);
  });
});

describe('GET /v1/publishes/:id/events', () => {
  it('tells all of one job, from its beginning, and nothing of others', async () => {
    const api = await startApi();
    const id = await enqueue(api);
    await enqueue(api);
    const events = await openEvents(`${api.url}/v1/publishes/${id}/events`);
    expect(await events.next()).toMatchObject({ type: 'publish.queued', event: { subject: id } });
    await enqueue(api);
    await api.call('POST', `/v1/publishes/${id}/cancel`);
    expect(await events.next()).toMatchObject({ type: 'publish.cancelled', event: { subject: id } });
  });
});
