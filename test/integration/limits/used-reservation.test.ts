import { describe, expect, it } from 'vitest';
import { TIKTOK_QUOTAS } from '../../../src/limits/tiktok-quotas.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

describe('a job that is woken before its reservation', () => {
  it('keeps its reservation, whatever is free by then', async () => {
    const pipeline = await startTestPipeline({ workers: false });
    const { publisher, deps, folder, redis, keys, startWorkers } = pipeline;
    const path = await makeVideo(folder, 1_000);
    const { limit, windowMs } = TIKTOK_QUOTAS.inbox_init;
    const reservation = { account: 'acme', endpoint: 'inbox_init', limit, windowMs } as const;
    for (let call = 0; call < limit; call += 1) await deps.reservations.reserve(reservation);
    const { id } = await publisher.enqueue({ account: 'acme', mode: 'inbox', media: { type: 'file', path } });
    await startWorkers();
    const waits = async (times: number) =>
      await eventually(async () => {
        const job = await publisher.get(id);
        if (job?.timeline.filter(({ event }) => event === 'deferred').length !== times) throw new Error('not yet');
        return job;
      });
    const first = await waits(1);
    const booked = await redis.lrange(keys.reservations('acme', 'inbox_init'), '0', '-1');
    await deps.queues.wakePublishEntry(id);
    const second = await waits(2);
    expect(second.waitingUntil).toBe(first.waitingUntil);
    expect(await redis.lrange(keys.reservations('acme', 'inbox_init'), '0', '-1')).toEqual(booked);
  });
});

describe('a job whose booked reservation has passed because all workers were busy', () => {
  it('books again, since its call would come too close to the reservations that were booked after it', async () => {
    const pipeline = await startTestPipeline({ workers: false });
    const { publisher, deps, folder, simulator, startWorkers } = pipeline;
    const path = await makeVideo(folder, 1_000);
    const { id } = await publisher.enqueue({ account: 'acme', mode: 'inbox', media: { type: 'file', path } });
    const claim = await deps.ledger.claim(id, { entry: 'an entry of this test', start: 1 });
    if (claim.kind !== 'claimed') throw new Error('nobody else owns it');
    await deps.ledger.commit(claim.record, {
      cause: { event: 'deferred', waitingFor: 'rate_limit', until: new Date().toISOString() },
      patch: { bookedSlot: { endpoint: 'inbox_init', at: Date.now() - 30_000 } },
    });
    const { limit, windowMs } = TIKTOK_QUOTAS.inbox_init;
    const reservation = { account: 'acme', endpoint: 'inbox_init', limit, windowMs } as const;
    for (let call = 0; call < limit; call += 1) await deps.reservations.reserve(reservation);

    await startWorkers();
    const job = await eventually(async () => {
      const seen = await publisher.get(id);
      if (seen?.waitingUntil === null) throw new Error('not deferred yet');
      return seen;
    });
    expect(job).toMatchObject({ state: 'queued', waitingFor: 'rate_limit' });
    expect(Date.parse(job?.waitingUntil ?? '') - Date.now()).toBeGreaterThan(windowMs - 20_000);
    expect(simulator.journal.requests({ endpoint: 'inbox_init' })).toEqual([]);
  });
});
