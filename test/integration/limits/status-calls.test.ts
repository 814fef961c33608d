import { describe, expect, it } from 'vitest';
import { TIKTOK_QUOTAS } from '../../../src/limits/tiktok-quotas.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

const HOUR_MS = 3_600_000;

describe('pending posts of one account', () => {
  it("share its status calls: each waits for a reservation of its own, and TikTok's limit is never met", async () => {
    const pipeline = await startTestPipeline({
      simulator: { processingMs: HOUR_MS, limits: { pendingSharesPerDay: 100 } },
    });
    const { publisher, deps, folder, simulator, queues } = pipeline;
    const { journal } = simulator;
    const media = { type: 'file', path: await makeVideo(folder, 1_000) } as const;
    const jobs = await publisher.enqueueBulk(
      Array.from({ length: 6 }, () => [
        { account: 'acme', mode: 'inbox', media } as const,
        { account: 'acme', mode: 'direct', media, post: { privacyLevel: 'SELF_ONLY' } } as const,
      ]).flat(),
    );
    const records = await eventually(async () => {
      const seen = await Promise.all(jobs.map(({ id }) => deps.ledger.read(id)));
      if (!seen.every((record) => record?.bookedSlot?.endpoint === 'status')) throw new Error('some are still free');
      return seen;
    });
    const reservedTimes = records.map((record) => record?.bookedSlot?.at ?? 0);
    const entries = await Promise.all(jobs.map(({ id }) => queues.status.getJob(id)));
    const calls = journal.requests({ endpoint: 'status' });
    expect(calls).toHaveLength(TIKTOK_QUOTAS.status.limit);
    expect(calls.filter(({ httpStatus }) => httpStatus !== 200)).toEqual([]);
    // Once for each call, and once for each job to find out when its next one is.
    const starts = entries.map((entry) => entry?.attemptsStarted ?? 0).reduce((sum, count) => sum + count, 0);
    expect(starts).toBe(calls.length + jobs.length);
    expect(Math.min(...reservedTimes) - Date.now()).toBeGreaterThan(TIKTOK_QUOTAS.status.windowMs / 2);
    expect(await Promise.all(entries.map((entry) => entry?.isDelayed()))).toEqual(jobs.map(() => true));
  });
});
