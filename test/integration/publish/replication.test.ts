import { randomUUID } from 'node:crypto';
import { describe, expect, it, type TestContext } from 'vitest';
import type { PublishRequest } from '../../../src/core/publish-request.ts';
import { newRecord } from '../../../src/ledger/change.ts';
import { createLedger } from '../../../src/ledger/ledger.ts';
import { eventually, PATIENTLY } from '../../support/eventually.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { clientOfTest, startReplicated, urlOf } from '../../support/replicated-redis.ts';
import { makeVideo } from '../../support/videos.ts';

const CHUNK_BYTES = 5_242_880;
const PULL_PREFIX = 'https://cdn.example.com/';

/** A pipeline on a master whose one replica must have what can't be taken back. */
async function startOnReplicated(test: TestContext) {
  const { master, replicas } = await startReplicated(test, 1);
  const [replica] = replicas;
  const pipeline = await startPipeline({
    redisUrl: urlOf(master),
    waitReplicas: 1,
    simulator: { processingMs: 20, verifiedUrlPrefixes: [PULL_PREFIX] },
  });
  test.onTestFinished(() => pipeline.close());
  return {
    ...pipeline,
    losesReplica: () => replica?.signal('SIGSTOP'),
    findsReplica: () => replica?.signal('SIGCONT'),
    operator: await clientOfTest(test, { kind: 'url', url: urlOf(master) }),
  };
}

async function uploadOf({ folder }: Pipeline, sizeBytes: number): Promise<PublishRequest> {
  const path = await makeVideo(folder, sizeBytes);
  return { account: 'acme', mode: 'direct', media: { type: 'file', path }, post: { privacyLevel: 'SELF_ONLY' } };
}

async function untilWaiting({ publisher }: Pipeline, id: string): Promise<void> {
  await eventually(async () => expect((await publisher.get(id))?.waitingFor).toBe('replication'), {
    timeoutMs: 90_000,
  });
}

// Side by side, since each waits for confirmations to fail, its own and those of the ledger's mark.
describe.concurrent('a master that lost its replicas', () => {
  it('takes no job, leaves nothing of it behind, and takes it once they are back', async (test) => {
    const world = await startOnReplicated(test);
    const request = await uploadOf(world, 1_000);
    world.losesReplica();
    const error = { code: 'REDIS_NOT_REPLICATED', message: expect.stringMatching(/0 of 1 replicas.*may run/) };
    await expect(world.publisher.enqueue(request, { idempotencyKey: 'order-1' })).rejects.toMatchObject(error);
    expect((await world.publisher.list()).jobs).toEqual([]);
    world.findsReplica();
    const { id } = await world.publisher.enqueue(request, { idempotencyKey: 'order-1' });
    expect((await world.publisher.waitForCompletion(id)).state).toBe('published');
  });

  it('leaves none of a bulk behind when one of them is refused', async (test) => {
    const world = await startOnReplicated(test);
    const request = await uploadOf(world, 1_000);
    const { redis, publisher } = world;
    world.losesReplica();
    // The first is confirmed alone and refused; the replica is back for the others.
    const refused = publisher.enqueueBulk(Array.from({ length: 50 }, () => request)).catch((error: unknown) => error);
    await eventually(async () => expect(await redis.zcard(world.keys.allJobs)).toBe(50));
    await eventually(async () => expect(await redis.zcard(world.keys.allJobs)).toBeLessThan(50));
    world.findsReplica();
    expect(await refused).toMatchObject({ code: 'REDIS_NOT_REPLICATED' });
    expect(await redis.zcard(world.keys.allJobs)).toBe(0);
  });

  it('takes no job back that somebody else was told of', async (test) => {
    const world = await startOnReplicated(test);
    const request = await uploadOf(world, 1_000);
    world.losesReplica();
    const mine = world.publisher.enqueue(request, { idempotencyKey: 'order-1' }).catch((error: unknown) => error);
    await eventually(async () => expect(await world.redis.zcard(world.keys.allJobs)).toBe(1));
    // Somebody who waits for no replicas asks for the same.
    const record = newRecord({ id: randomUUID(), request, now: Date.now(), idempotencyKey: 'order-1' });
    const ledger = createLedger({ redis: world.redis, keys: world.keys, clock: Date });
    const { created, id } = await ledger.create(record, { event: 'queued' });
    expect(created).toBe(false);
    expect(await mine).toMatchObject({ code: 'REDIS_NOT_REPLICATED', message: expect.stringContaining('may run') });
    expect(await ledger.read(id)).toBeDefined();
    world.findsReplica();
  });

  it('holds the last chunk back until they are back, which burns no attempt', async (test) => {
    const world = await startOnReplicated(test);
    world.simulator.faults.add({ endpoint: 'upload', when: { chunkIndex: 0 }, act: { kind: 'delay', ms: 1_000 } });
    const { id } = await world.publisher.enqueue(await uploadOf(world, 2 * CHUNK_BYTES));
    world.losesReplica();
    await untilWaiting(world, id);
    const held = await world.publisher.get(id);
    expect(held).toMatchObject({ state: 'uploading', attempts: 0 });
    const events = held?.timeline.map(({ event }) => event);
    expect(events).toContain('last_chunk_held_back');
    expect(events).not.toContain('last_chunk_refused');
    const sent = world.simulator.journal.requests({ endpoint: 'upload' }).map(({ chunk }) => chunk?.startByte);
    expect(sent).toEqual([0]);
    world.findsReplica();
    expect(await world.publisher.waitForCompletion(id)).toMatchObject({ state: 'published', attempts: 0 });
    expect(world.simulator.journal.publishes()).toHaveLength(1);
  });

  it('lets no pull begin', async (test) => {
    const world = await startOnReplicated(test);
    await world.vault.pause('acme');
    const media = { type: 'pull', url: `${PULL_PREFIX}a.mp4` } as const;
    const { id } = await world.publisher.enqueue({
      ...{ account: 'acme', mode: 'direct', media },
      post: { privacyLevel: 'SELF_ONLY' },
    });
    world.losesReplica();
    await world.vault.resume('acme');
    await world.wakeLane('acme');
    await untilWaiting(world, id);
    expect(world.simulator.journal.requests({ endpoint: 'video_init' })).toEqual([]);
    world.findsReplica();
    expect((await world.publisher.waitForCompletion(id)).state).toBe('published');
    expect(world.simulator.journal.requests({ endpoint: 'video_init' })).toHaveLength(1);
  });

  it('uses up no refresh token', async (test) => {
    const world = await startOnReplicated(test);
    const { accessToken: rejectedToken } = world.account;
    world.losesReplica();
    const refreshing = world.tokens.accessToken('acme', { rejectedToken });
    await expect(refreshing).rejects.toMatchObject({ code: 'REDIS_NOT_REPLICATED' });
    expect(world.simulator.journal.requests({ endpoint: 'token' })).toEqual([]);
  });

  it('does not say that a job is cancelled', async (test) => {
    const world = await startOnReplicated(test);
    const scheduledAt = new Date(Date.now() + 3_600_000).toISOString();
    const { id } = await world.publisher.enqueue({ ...(await uploadOf(world, 1_000)), scheduledAt });
    world.losesReplica();
    await expect(world.publisher.cancel(id)).rejects.toMatchObject({ code: 'REDIS_NOT_REPLICATED' });
    world.findsReplica();
    expect((await world.publisher.cancel(id)).state).toBe('cancelled');
  });
});

describe('a record that went back in time', () => {
  it('is noticed before the last chunk is sent', async (test) => {
    const world = await startOnReplicated(test);
    const { simulator, publisher, operator, keys } = world;
    simulator.faults.add({ endpoint: 'upload', when: { chunkIndex: 0 }, act: { kind: 'delay', ms: 1_500 } });
    const { id } = await publisher.enqueue(await uploadOf(world, 2 * CHUNK_BYTES));
    const before = await operator.dumpBuffer(keys.job(id));
    await simulator.journal.waitFor(({ endpoint }) => endpoint === 'video_init', PATIENTLY);
    await eventually(async () => expect(await operator.hget(keys.job(id), 'publishId')).not.toBeNull());
    // As after a failover to a replica that had not heard of the init.
    await operator.restore(keys.job(id), 0, before, 'REPLACE');
    expect((await publisher.waitForCompletion(id, { timeoutMs: 90_000 })).state).toBe('published');
    const complete = simulator.journal.publishes().filter(({ completeUploads }) => completeUploads > 0);
    expect(complete).toHaveLength(1);
  });
});
