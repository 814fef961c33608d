import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { endpointIdOf } from '../../../src/callbacks/endpoint-health.ts';
import type { Lookup } from '../../../src/outbound/outbound-agent.ts';
import { type CallbackAnswer, type CallbackReceiver, startCallbackReceiver } from '../../support/callback-receiver.ts';
import { eventually } from '../../support/eventually.ts';
import { makeVideo } from '../../support/videos.ts';
import { type CallbackWorld, type CallbackWorldOptions, SECRETS, startCallbackWorld } from './callback-world.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: CallbackWorldOptions = {}): Promise<CallbackWorld> {
  const world = await startCallbackWorld(options);
  closers.push(world.close);
  return world;
}

async function receive(answer?: CallbackAnswer): Promise<CallbackReceiver> {
  const receiver = await startCallbackReceiver(answer);
  closers.push(receiver.close);
  return receiver;
}

/** An app that reads JSON as apps do, and answers what it has read. */
async function receiveWithExpress(take: (event: unknown) => void): Promise<string> {
  const app = express();
  app.post('/hook', express.json(), (request, response) => {
    take(request.body);
    response.sendStatus(204);
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

const answerOf =
  (...statuses: number[]): CallbackAnswer =>
  (response, _request, index) =>
    void response.writeHead(statuses[Math.min(index, statuses.length - 1)] ?? 204).end();

describe('the delivery of events', () => {
  it('brings each event of a publish job in order, as CloudEvents that the library of Standard Webhooks verifies', async () => {
    const { pipeline } = await start({ only: ['upload', 'status', 'events'] });
    const receiver = await receive();
    const path = await makeVideo(pipeline.folder, 1_000);
    const job = await pipeline.publisher.enqueue({
      account: 'acme',
      mode: 'inbox',
      media: { type: 'file', path },
      callbackUrl: `${receiver.url}?token=mine`,
      metadata: { yourId: 'x-1' },
    });
    await receiver.arrived(4);
    const onStream = await pipeline.events();
    const types = receiver.received.map(({ body }) => JSON.parse(body).type);
    expect(types).toEqual(['publish.queued', 'publish.started', 'publish.upload.completed', 'publish.in_inbox']);
    for (const [index, { headers, body, id, path: address }] of receiver.received.entries()) {
      expect(address).toBe('/hook?token=mine');
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
      const plain = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
      for (const secret of SECRETS) expect(new Webhook(secret).verify(body, plain)).toEqual(onStream[index]);
      const stranger = new Webhook(`whsec_${Buffer.alloc(32, 9).toString('base64')}`);
      expect(() => stranger.verify(body, plain)).toThrow();
      expect(() => new Webhook(SECRETS[0] ?? '').verify(body.replace('acme', 'evil'), plain)).toThrow();
      expect(id).toBe(onStream[index]?.id);
      expect(JSON.parse(body)).toMatchObject({ subject: job.id, data: { metadata: { yourId: 'x-1' } } });
    }
  });

  it('costs a job without a callback nothing', async () => {
    const { redis, keys, createJob, report } = await start({ workers: false });
    await report(await createJob('plain', undefined), 'publish.started');
    expect(await redis.exists(keys.callbackOutbox, keys.undeliveredEvents('plain'))).toBe(0);
  });

  it('tries again what the receiver did not take, under the same id, and holds later events of the job back', async () => {
    const world = await start();
    const receiver = await receive(answerOf(500, 429, 204));
    await world.report(await world.createJob('j', receiver.url), 'publish.started', 'publish.in_inbox');
    await receiver.arrived(5);
    await world.entryIn('j-3-1', 'completed');
    expect(receiver.received.map(({ id }) => id)).toEqual(['j-1-1', 'j-1-1', 'j-1-1', 'j-2-1', 'j-3-1']);
    const { attempts, undelivered } = await world.deliveries.ofJob('j');
    expect(undelivered).toEqual([]);
    expect([...attempts].reverse().map(({ outcome, status, code }) => [outcome, status, code])).toEqual([
      ['retried', 500, 'CALLBACK_REFUSED'],
      ['retried', 429, 'CALLBACK_REFUSED'],
      ...Array(3).fill(['delivered', 204, null]),
    ]);
  });

  it('is read by apps that parse JSON as they parse all', async () => {
    const world = await start();
    const events: unknown[] = [];
    await world.createJob('j', await receiveWithExpress((event) => events.push(event)));
    await world.entryIn('j-1-1', 'completed');
    expect(events).toEqual([expect.objectContaining({ id: 'j-1-1', type: 'publish.queued', subject: 'j' })]);
  });

  it('has the content type of CloudEvents where that is set', async () => {
    const world = await start({ callbackContentType: 'application/cloudevents+json' });
    const receiver = await receive();
    await world.createJob('j', receiver.url);
    await receiver.arrived(1);
    expect(receiver.received[0]?.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
  });

  it('goes on with the next event once one is given up', async () => {
    const world = await start();
    const receiver = await receive((response, { id }) => void response.writeHead(id === 'j-1-1' ? 500 : 204).end());
    await world.report(await world.createJob('j', receiver.url), 'publish.started');
    await world.entryIn('j-2-1', 'completed');
    const entry = await world.entryIn('j-1-1', 'failed');
    expect(entry.failedReason).toBe(`CALLBACK_REFUSED: ${receiver.host} responded with 500`);
    // As many deliveries as the schedule has pauses, and the first one.
    expect(receiver.received.filter(({ id }) => id === 'j-1-1')).toHaveLength(4);
  });

  it('F22: ends at 410 for every job with this URL, until a person resumes it', async () => {
    const world = await start();
    let status = 410;
    const receiver = await receive((response) => void response.writeHead(status).end());
    const url = `${receiver.url}?token=one`;
    await world.createJob('j', url);
    const entry = await world.entryIn('j-1-1', 'failed');
    expect(entry.failedReason).toMatch(/responded with 410$/);
    expect((await world.deliveries.ofJob('j')).attempts[0]?.code).toBe('CALLBACK_GONE');
    await world.createJob('k', url);
    expect((await world.entryIn('k-1-1', 'failed')).failedReason).toContain('nothing was sent');
    expect(receiver.received).toHaveLength(1);
    const { disabled } = await world.deliveries.overview();
    expect(disabled).toEqual([expect.objectContaining({ endpoint: receiver.url })]);
    expect(JSON.stringify(disabled)).not.toContain('token');
    expect(await world.pipeline.metrics.render()).toContain('tiktok_events_delivered_total{outcome="disabled"} 1');

    status = 204;
    await world.createJob('l', `${receiver.url}?token=two`);
    await world.entryIn('l-1-1', 'completed');
    await world.deliveries.resume(receiver.url);
    expect((await world.deliveries.overview()).disabled).toEqual([]);
    expect((await world.deliveries.replayFailed()).replayed.sort()).toEqual(['j-1-1', 'k-1-1']);
    await world.entryIn('k-1-1', 'completed');
    expect(receiver.received.map(({ id }) => id).sort()).toEqual(['j-1-1', 'j-1-1', 'k-1-1', 'l-1-1']);
  });

  it('follows no redirect and says so', async () => {
    const world = await start({ schedule: { delaysMs: [] } });
    const elsewhere = await receive();
    const receiver = await receive((response) => void response.writeHead(307, { location: elsewhere.url }).end());
    await world.createJob('j', receiver.url);
    const entry = await world.entryIn('j-1-1', 'failed');
    expect(entry.failedReason).toMatch(/responded with 307; redirects are not followed$/);
    expect((await world.deliveries.ofJob('j')).attempts[0]?.code).toBe('CALLBACK_REDIRECTED');
    expect(elsewhere.received).toHaveLength(0);
  });

  it('gives up on a receiver that hangs, and delivers when it is back', async () => {
    const world = await start({ timeoutMs: 200 });
    const receiver = await receive((response, _request, index) => {
      if (index > 0) response.writeHead(204).end();
    });
    await world.createJob('j', receiver.url);
    await world.entryIn('j-1-1', 'completed');
    const { attempts } = await world.deliveries.ofJob('j');
    expect(attempts.map(({ code }) => code)).toEqual([null, 'OUTBOUND_NO_ANSWER']);
  });

  it('takes the status and leaves a body without end', async () => {
    const world = await start();
    let sentBytes = 0;
    const receiver = await receive((response) => {
      response.writeHead(200);
      const pour = () => {
        while (!response.destroyed && sentBytes < 1e9) {
          sentBytes += 65_536;
          if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', pour);
        }
      };
      pour();
    });
    await world.createJob('j', receiver.url);
    await world.entryIn('j-1-1', 'completed');
    expect(sentBytes).toBeLessThan(50_000_000);
  });

  it('waits as long as Retry-After asks', async () => {
    const world = await start();
    const receiver = await receive((response) => void response.writeHead(503, { 'retry-after': '600' }).end());
    await world.createJob('j', receiver.url);
    const entry = await world.entryIn('j-1-1', 'delayed');
    expect(entry.delay).toBe(600_000);
    expect(entry.attemptsMade).toBe(1);
  });

  it('sends nothing into private networks, whatever a name resolves to and when', async () => {
    const receiver = await receive();
    const port = receiver.host.split(':')[1];
    const answers = ['10.0.0.1', '127.0.0.1', '169.254.169.254'];
    const lookup: Lookup = async () => [{ address: answers.shift() ?? '127.0.0.1', family: 4 }];
    const world = await start({ lookup, allowHosts: [] });
    await world.createJob('rebinding', `https://rebinding.test:${port}/hook`);
    await world.createJob('literal', `https://127.0.0.1:${port}/hook`);
    await world.createJob('http', `http://rebinding.test:${port}/hook`);
    expect((await world.entryIn('rebinding-1-1', 'failed')).failedReason).toMatch(/^OUTBOUND_HOST_REFUSED: /);
    expect((await world.entryIn('literal-1-1', 'failed')).failedReason).toMatch(/^OUTBOUND_HOST_REFUSED: /);
    expect((await world.entryIn('http-1-1', 'failed')).failedReason).toMatch(/^OUTBOUND_URL_REFUSED: /);
    await world.deliveries.replay('rebinding-1-1');
    await eventually(() => answers.length <= 1);
    expect((await world.entryIn('rebinding-1-1', 'failed')).failedReason).toMatch(/^OUTBOUND_HOST_REFUSED: /);
    expect(receiver.received).toHaveLength(0);
  });

  it('delivers once where several processes relay', async () => {
    const world = await start();
    await world.startDelivery();
    await world.startDelivery();
    const receiver = await receive();
    const ids = Array.from({ length: 30 }, (_, index) => `many-${index}`);
    await Promise.all(ids.map(async (id) => await world.createJob(id, receiver.url)));
    await receiver.arrived(ids.length);
    await eventually(async () => (await world.queues.events.getCompletedCount()) === ids.length);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(ids.length);
    expect(receiver.received).toHaveLength(ids.length);
    expect(await world.redis.xlen(world.keys.callbackOutbox)).toBe(0);
  });

  it.each([1, 2])(
    'has the events of a host that hangs wait, and not those of others, with %i processes',
    async (processes) => {
      const world = await start({ workers: false, timeoutMs: 60_000 });
      for (let started = 0; started < processes; started += 1) await world.startDelivery();
      const held: ServerResponse[] = [];
      const hanging = await receive((response) => void held.push(response));
      const ids = Array.from({ length: 120 }, (_, index) => `many-${index}`);
      await Promise.all(ids.map(async (id) => await world.createJob(id, `${hanging.url}/${id}`)));
      await hanging.arrived(25 * processes);
      const healthy = await receive();
      await world.createJob('other', healthy.url);
      await healthy.arrived(1);
      expect(held).toHaveLength(25 * processes);
      hanging.answerWith(answerOf(204));
      for (const response of held) response.writeHead(204).end();
      await eventually(async () => (await world.queues.events.getCompletedCount()) === ids.length + 1);
      expect(new Set(hanging.received.map(({ id }) => id)).size).toBe(ids.length);
      expect(hanging.received).toHaveLength(ids.length);
    },
  );

  it('puts events of a host that has a line at its end, so that however many they are, others pass them', async () => {
    const held: ServerResponse[] = [];
    const hanging = await receive((response) => void held.push(response));
    const healthy = await receive();
    const { createJob, keys, queues, redis } = await start({ timeoutMs: 60_000 });
    const createMany = async (name: string, count: number): Promise<string[]> => {
      const ids = Array.from({ length: count }, (_, number) => `${name}-${number}`);
      for (const id of ids) await createJob(id, hanging.url);
      return ids.map((id) => `${id}-1-1`);
    };
    await createMany('first', 30);
    await hanging.arrived(25);
    const line = keys.hostWaiting(endpointIdOf(hanging.host));
    await eventually(async () => expect(await redis.zcard(line)).toBe(5));
    const later = await createMany('later', 40);
    await createJob('other', healthy.url);
    await healthy.arrived(1);
    await eventually(async () => expect(await redis.zcard(line)).toBe(45));
    const entries = await Promise.all(later.map((id) => queues.events.getJob(id)));
    expect(entries.map((entry) => entry?.attemptsStarted)).toEqual(later.map(() => 0));
    hanging.answerWith((response) => void response.writeHead(204).end());
    for (const response of held) response.writeHead(204).end();
    await hanging.arrived(70);
  });

  it('burns no attempt at a shutdown in the middle of a delivery', async () => {
    const world = await start({ workers: false });
    const receiver = await receive((response, _request, index) => {
      if (index > 0) response.writeHead(204).end();
    });
    const workers = await world.startDelivery();
    await world.createJob('j', receiver.url);
    await receiver.arrived(1);
    await workers.close({ timeoutMs: 0 });
    expect((await world.queues.events.getJob('j-1-1'))?.attemptsMade).toBe(0);
    await world.startDelivery();
    await receiver.arrived(2);
    const entry = await world.entryIn('j-1-1', 'completed');
    expect(entry.attemptsMade).toBe(1);
  });

  it('shows the query of a callback URL in no log line, entry or list', async () => {
    const world = await start({ schedule: { delaysMs: [20] } });
    const receiver = await receive(answerOf(500));
    await world.createJob('j', `${receiver.url}?token=s3cret-query`);
    const entry = await world.entryIn('j-1-1', 'failed');
    expect(world.lines.join('')).toContain('event delivery failed');
    const shown = [world.lines, entry.asJSON(), await world.deliveries.overview(), await world.deliveries.ofJob('j')];
    expect(JSON.stringify(shown)).not.toContain('s3cret-query');
    expect(await world.deliveries.overview()).toMatchObject({ failed: [{ endpoint: receiver.url, jobId: 'j' }] });
  });
});

describe('a callback that could never arrive', () => {
  it.each(['http://example.com/hook', 'https://10.0.0.1/hook', 'https://user:pw@example.com/', 'https://[::1]/'])(
    'is refused with the request: %s',
    async (callbackUrl) => {
      const { pipeline } = await start({ workers: false });
      const request = { account: 'acme', mode: 'inbox', media: { type: 'file', path: '/a.mp4' }, callbackUrl } as const;
      const refused = expect(pipeline.publisher.enqueue(request)).rejects;
      await refused.toMatchObject({ code: 'INPUT_INVALID', details: { problems: [{ path: 'callbackUrl' }] } });
    },
  );
});
