import { randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { subscriptionsOf } from '../../../src/app/callback-parts.ts';
import { createSealer } from '../../../src/sealing/sealer.ts';
import { type CallbackAnswer, type CallbackReceiver, startCallbackReceiver } from '../../support/callback-receiver.ts';
import { eventually } from '../../support/eventually.ts';
import { type CallbackWorldOptions, SECRETS, startCallbackWorld } from './callback-world.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: CallbackWorldOptions = {}) {
  const world = await startCallbackWorld(options);
  closers.push(world.close);
  const subscriptions = subscriptionsOf(world.pipeline.app, world.pipeline.service);
  const subscribe = async (url: string, more: object = {}) => await subscriptions.create({ url, ...more }, 'a test');
  return { ...world, subscriptions, subscribe, job: async () => await world.createJob(randomUUID(), undefined) };
}

async function receive(answer?: CallbackAnswer): Promise<CallbackReceiver> {
  const receiver = await startCallbackReceiver(answer);
  closers.push(receiver.close);
  return receiver;
}

const typesAt = ({ received }: CallbackReceiver) =>
  received.map(({ body }) => (JSON.parse(body) as { type: string }).type);

describe('a subscription', () => {
  it('gets the events of all jobs and accounts from now on, signed, those of a job in their order', async () => {
    const { subscribe, report, job, pipeline, lines } = await start();
    await report(await job(), 'publish.started');
    const receiver = await receive();
    const { id } = await subscribe(receiver.url);
    const record = await report(await job(), 'publish.started', 'publish.failed');
    await pipeline.service.accounts.connect({ account: 'beta', openId: 'open-beta', accessToken: 'act.beta' });
    await pipeline.service.accounts.pause('beta');
    await receiver.arrived(5);
    expect(typesAt(receiver).toSorted()).toEqual(
      ['account.connected', 'account.paused', 'publish.failed', 'publish.queued', 'publish.started'].toSorted(),
    );
    const ofJob = receiver.received.map(({ body }) => JSON.parse(body)).filter(({ subject }) => subject === record.id);
    expect(ofJob.map(({ type }) => type)).toEqual(['publish.queued', 'publish.started', 'publish.failed']);
    for (const { body, headers } of receiver.received) {
      const verified = new Webhook(SECRETS[0] ?? '').verify(body, headers as Record<string, string>);
      expect(verified).toEqual(JSON.parse(body));
    }
    const log = lines.join('');
    expect(log).toContain(`"account":"beta","subscription":"${id}"`);
    expect(log).toContain(`"publishJobId":"${record.id}","subscription":"${id}"`);
    expect(log).not.toContain('"publishJobId":"beta"');
  });

  it('gets only the types and accounts that it asks for', async () => {
    const { subscribe, report, job } = await start();
    const [failures, others, all] = [await receive(), await receive(), await receive()];
    await subscribe(failures.url, { types: ['publish.failed'] });
    await subscribe(others.url, { accounts: ['somebody-else'] });
    await subscribe(all.url);
    await report(await job(), 'publish.started', 'publish.failed', 'publish.unconfirmed');
    await all.arrived(4);
    await failures.arrived(1);
    expect(typesAt(failures)).toEqual(['publish.failed']);
    expect(others.received).toEqual([]);
  });

  it('gets stored events too, from the place that it names', async () => {
    const { subscribe, report, job } = await start();
    await report(await job(), 'publish.started');
    const receiver = await receive();
    await subscribe(receiver.url, { after: '0' });
    await receiver.arrived(3);
    expect(typesAt(receiver)).toEqual(['account.connected', 'publish.queued', 'publish.started']);
  });

  it('misses nothing and changes nothing of its order while its receiver fails', async () => {
    const receiver = await receive((response, _request, index) => void response.writeHead(index < 2 ? 500 : 204).end());
    const { subscribe, report, job } = await start();
    await subscribe(receiver.url);
    await report(await job(), 'publish.started', 'publish.failed');
    await receiver.arrived(5);
    expect(typesAt(receiver).slice(2)).toEqual(['publish.queued', 'publish.started', 'publish.failed']);
  });

  it('does not keep the callback of the job waiting', async () => {
    const [callback, broken] = [await receive(), await receive((response) => void response.writeHead(500).end())];
    const { subscribe, report, createJob } = await start();
    await subscribe(broken.url);
    await report(await createJob(randomUUID(), callback.url), 'publish.started');
    await callback.arrived(2);
    expect(typesAt(callback)).toEqual(['publish.queued', 'publish.started']);
  });

  it('is relayed once although several workers run, and goes on when the one that does it ends', async () => {
    const { subscribe, report, job, startDelivery } = await start({ workers: false });
    const workers = [await startDelivery(), await startDelivery(), await startDelivery()];
    const receiver = await receive();
    await subscribe(receiver.url);
    await report(await job(), 'publish.started');
    await receiver.arrived(2);
    for (const each of workers.slice(0, 2)) await each.close({ timeoutMs: 10_000 });
    await report(await job(), 'publish.failed');
    await receiver.arrived(4);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(4);
  });

  it('gets nothing more after a response 410, until it is resumed', async () => {
    const receiver = await receive((response) => void response.writeHead(410).end());
    const { subscribe, report, job, deliveries } = await start();
    const { id, endpoint } = await subscribe(receiver.url, { types: ['publish.failed'] });
    await report(await job(), 'publish.failed');
    await eventually(async () => expect((await deliveries.overview()).disabled).toMatchObject([{ endpoint }]));
    await report(await job(), 'publish.failed');
    await eventually(async () => expect((await deliveries.ofSubscription(id))?.attempts).toHaveLength(2));
    expect(receiver.received).toHaveLength(1);
    receiver.answerWith((response) => void response.writeHead(204).end());
    await deliveries.resume(endpoint);
    expect((await deliveries.replayFailed(receiver.host)).replayed).toHaveLength(2);
    await receiver.arrived(3);
  });

  it('can be tried with a test event, and shows what its receiver answered', async () => {
    const receiver = await receive((response) => void response.writeHead(418).end());
    const { subscribe, deliveries } = await start();
    const { id } = await subscribe(receiver.url);
    const eventId = await deliveries.testSubscription(id);
    await receiver.arrived(1);
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({ id: eventId, type: 'subscription.test' });
    await eventually(async () =>
      expect(await deliveries.ofSubscription(id)).toMatchObject({ id, attempts: [{ eventId, status: 418 }] }),
    );
    expect(await deliveries.testSubscription('none')).toBeUndefined();
  });

  it('that was deleted gets nothing more, and its waiting events go', async () => {
    const receiver = await receive((response) => void response.writeHead(500).end());
    const { subscribe, subscriptions, report, job, queues } = await start({ schedule: { delaysMs: [50, 50, 50] } });
    const { id } = await subscribe(receiver.url);
    await report(await job(), 'publish.failed');
    await receiver.arrived(1);
    expect(await subscriptions.remove(id, 'a test')).toMatchObject({ id });
    await eventually(async () => expect(await queues.events.getFailedCount()).toBe(2));
    const count = receiver.received.length;
    await report(await job(), 'publish.failed');
    expect([await subscriptions.list(), receiver.received.length]).toEqual([[], count]);
    expect(await subscriptions.remove(id, 'a test')).toBeUndefined();
  });

  it('keeps the secrets of its URL encrypted, also with a new key', async () => {
    const receiver = await receive();
    const { subscribe, redis, keys, pipeline } = await start({ workers: false });
    const made = await subscribe(`${receiver.url}?token=of-the-receiver`);
    expect(JSON.stringify(made)).not.toContain('of-the-receiver');
    const stored = () => redis.hgetall(keys.subscriptions);
    expect(JSON.stringify(await stored())).not.toContain('of-the-receiver');
    const [newKey, oldKey] = [Buffer.alloc(32, 9), ...(pipeline.app.config.encryptionKeys ?? [])];
    const sealer = createSealer([newKey, oldKey ?? Buffer.alloc(32)], async () => false);
    const rekeyed = subscriptionsOf({ ...pipeline.app, sealer }, pipeline.service);
    expect([await rekeyed.rekey(), await rekeyed.rekey()]).toEqual([1, 0]);
    const [one] = await rekeyed.all();
    expect(one && (await rekeyed.urlOf(one))).toBe(`${receiver.url}?token=of-the-receiver`);
  });

  it.each([
    ['url', { url: 'ftp://example.com' }],
    ['url', { url: 'https://user:password@example.com/hook' }],
    ['url', { url: 'http://10.0.0.1/hook' }],
    ['types.0', { url: 'https://example.com', types: ['publish.exploded'] }],
    ['after', { url: 'https://example.com', after: 'yesterday' }],
  ])('is refused for its %s: %j', async (path, request) => {
    const { subscriptions } = await start({ workers: false });
    const creating = subscriptions.create(request as never, 'a test');
    await expect(creating).rejects.toMatchObject({ code: 'INPUT_INVALID', details: { problems: [{ path }] } });
  });
});
