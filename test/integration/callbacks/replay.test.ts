import { afterEach, describe, expect, it } from 'vitest';
import { type CallbackReceiver, startCallbackReceiver } from '../../support/callback-receiver.ts';
import { eventually } from '../../support/eventually.ts';
import { rejection } from '../../support/rejection.ts';
import { type CallbackWorld, type CallbackWorldOptions, startCallbackWorld } from './callback-world.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: CallbackWorldOptions = {}): Promise<CallbackWorld> {
  const world = await startCallbackWorld(options);
  closers.push(world.close);
  return world;
}

async function receive(status = 204): Promise<CallbackReceiver & { turn(status: number): void }> {
  const receiver = await startCallbackReceiver((response) => void response.writeHead(status).end());
  closers.push(receiver.close);
  const turn = (next: number) => receiver.answerWith((response) => void response.writeHead(next).end());
  return { ...receiver, turn };
}

describe('a replay', () => {
  it('delivers an event again under its id, whether it was delivered or given up', async () => {
    const world = await start({ schedule: { delaysMs: [] } });
    const receiver = await receive(500);
    await world.createJob('j', receiver.url);
    await world.entryIn('j-1-1', 'failed');
    receiver.turn(204);
    expect(await world.deliveries.replay('j-1-1')).toEqual({ replayed: ['j-1-1'] });
    await world.entryIn('j-1-1', 'completed');
    await world.deliveries.replay('j-1-1');
    await receiver.arrived(3);
    expect(new Set(receiver.received.map(({ id, body }) => id + body)).size).toBe(1);
    await world.entryIn('j-1-1', 'completed');
  });

  it('delivers an event after so many tries that their stack traces are longer than it', async () => {
    const world = await start({ schedule: { delaysMs: [] } });
    const receiver = await receive(500);
    await world.createJob('j', receiver.url);
    await world.entryIn('j-1-1', 'failed');
    const stacktrace = JSON.stringify(Array.from({ length: 20 }, () => 'at a line\n'.repeat(200)));
    await world.redis.hset(world.queues.events.toKey('j-1-1'), { stacktrace });
    receiver.turn(204);
    await world.deliveries.replay('j-1-1');
    await receiver.arrived(2);
    expect(receiver.received[1]?.body).toBe(receiver.received[0]?.body);
  });

  it('brings all events of a job', async () => {
    const world = await start();
    const receiver = await receive();
    await world.report(await world.createJob('j', receiver.url), 'publish.started', 'publish.in_inbox');
    await world.entryIn('j-3-1', 'completed');
    expect((await world.deliveries.replay('j')).replayed).toEqual(['j-1-1', 'j-2-1', 'j-3-1']);
    await receiver.arrived(6);
  });

  it('of what was given up can be kept to one host', async () => {
    const world = await start({ schedule: { delaysMs: [] } });
    const [one, other] = [await receive(500), await receive(500)];
    await world.createJob('one', one.url);
    await world.createJob('other', other.url);
    await Promise.all([world.entryIn('one-1-1', 'failed'), world.entryIn('other-1-1', 'failed')]);
    one.turn(204);
    expect((await world.deliveries.replayFailed(one.host)).replayed).toEqual(['one-1-1']);
    await world.entryIn('one-1-1', 'completed');
    expect(other.received).toHaveLength(1);
    other.turn(204);
    expect((await world.deliveries.replayFailed()).replayed).toEqual(['other-1-1']);
    await world.entryIn('other-1-1', 'completed');
  });

  it('of what does not exist is an error', async () => {
    const world = await start({ workers: false });
    expect((await rejection(world.deliveries.replay('nothing'))).code).toBe('CALLBACK_NOT_FOUND');
    expect((await rejection(world.deliveries.resume('https://example.com/'))).code).toBe('CALLBACK_NOT_FOUND');
    expect((await rejection(world.deliveries.ofJob('nothing'))).code).toBe('JOB_NOT_FOUND');
  });
});

describe('an endpoint that keeps failing', () => {
  const PAUSING = { delaysMs: Array<number>(50).fill(10), pauseAfterFailures: 3 };

  it('is paused, and goes on with all that waited once a person resumes it', async () => {
    const world = await start({ schedule: PAUSING });
    const receiver = await receive(500);
    await world.createJob('a', `${receiver.url}?t=1`);
    await receiver.arrived(3);
    await eventually(async () => (await world.deliveries.overview()).paused[0]?.waiting === 1);
    await world.createJob('b', `${receiver.url}?t=2`);
    const [paused] = await eventually(async () => {
      const overview = await world.deliveries.overview();
      if (overview.paused[0]?.waiting !== 2) throw new Error(JSON.stringify(overview));
      return overview.paused;
    });
    expect(paused).toMatchObject({ endpoint: receiver.url, failures: 3, lastCode: 'CALLBACK_REFUSED' });
    expect(await world.countPaused()).toBe(1);
    expect(receiver.received).toHaveLength(3);
    receiver.turn(204);
    expect(await world.deliveries.resume(receiver.url)).toMatchObject({ woken: 2 });
    await Promise.all([world.entryIn('a-1-1', 'completed'), world.entryIn('b-1-1', 'completed')]);
    expect((await world.deliveries.overview()).paused).toEqual([]);
  });

  it('is tried with one delivery now and then, and resumed by its success', async () => {
    const world = await start({ schedule: { ...PAUSING, probeEveryMs: 150 } });
    const receiver = await receive(500);
    for (const id of ['a', 'b', 'c', 'd']) await world.createJob(id, receiver.url);
    await eventually(async () => (await world.countPaused()) === 1);
    await receiver.arrived(receiver.received.length + 2);
    receiver.turn(204);
    for (const id of ['a', 'b', 'c', 'd']) await world.entryIn(`${id}-1-1`, 'completed');
    expect(await world.countPaused()).toBe(0);
  });

  it('is no longer counted as paused once nothing was tried for as long as jobs are kept', async () => {
    const world = await start({ schedule: PAUSING });
    const bad = await receive(500);
    await world.createJob('bad', bad.url);
    await eventually(async () => (await world.countPaused()) === 1);
    expect(await world.countPaused(Date.now() + 86_400_000)).toBe(0);
  });

  it('holds up no other endpoint', async () => {
    const world = await start({ schedule: PAUSING });
    const [bad, good] = [await receive(500), await receive()];
    await world.createJob('bad', bad.url);
    await eventually(async () => (await world.countPaused()) === 1);
    await world.createJob('good', good.url);
    await world.entryIn('good-1-1', 'completed');
  });
});
