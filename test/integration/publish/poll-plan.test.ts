import { describe, expect, it } from 'vitest';
import { DEFAULT_POLL_SCHEDULE } from '../../../src/core/poll-schedule.ts';
import { newRecord } from '../../../src/ledger/change.ts';
import { claimJob, OwnedJob } from '../../../src/workers/owned-job.ts';
import { planFirstPoll, planPoll } from '../../../src/workers/status/plan-poll.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';

/** Brings so many jobs of an account to `processing`, and claims the last. */
async function makePending({ deps }: Pipeline, account: string, count: number) {
  const request = { version: 1, account, mode: 'inbox', media: { type: 'file', path: '/v.mp4' } } as const;
  const jobs = await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const id = `${account}-${n}`;
      await deps.ledger.create(newRecord({ id, request, now: Date.now() }), { event: 'queued' });
      const job = await claim(id, 1, deps);
      await job.commit({
        to: 'uploading',
        cause: { event: 'init_sent', source: 'file_upload' },
      });
      const patch = { processingSince: Date.now() };
      await job.commit({ to: 'processing', cause: { event: 'upload_completed', totalBytes: 1 }, patch });
      return job;
    }),
  );
  return await claim(jobs.at(-1)?.record.id ?? '', 2, deps);
}

async function claim(id: string, start: number, { ledger }: Pipeline['deps']): Promise<OwnedJob> {
  const job = await claimJob(id, { entry: id, start }, ledger);
  if (!(job instanceof OwnedJob)) throw new Error(job);
  return job;
}

describe('the plan of polls', () => {
  it("divides TikTok's limit over an account's pending posts, and leaves other accounts alone", async () => {
    const pipeline = await startTestPipeline({ workers: false, polls: DEFAULT_POLL_SCHEDULE });
    const { deps } = pipeline;
    const crowded = await makePending(pipeline, 'crowded', 50);
    const lonely = await makePending(pipeline, 'lonely', 1);
    const delayMs = (job: OwnedJob, polls: number) => planPoll(job, polls, deps) - Date.now();
    // Fifty jobs, each polled every two and a half minutes or less often: twenty polls a minute of the thirty allowed.
    expect(delayMs(crowded, 1)).toBeGreaterThan(149_000);
    expect(planFirstPoll(crowded, deps) - Date.now()).toBeGreaterThan(149_000);
    expect(delayMs(lonely, 1)).toBeLessThan(10_000);
  });

  it('is wide while webhooks arrive, and narrow for a job that one told of', async () => {
    const pipeline = await startTestPipeline({ workers: false, polls: DEFAULT_POLL_SCHEDULE });
    const { deps } = pipeline;
    const before = await makePending(pipeline, 'acme', 1);
    const delayMs = (job: Parameters<typeof planPoll>[0]) => planPoll(job, 0, deps) - Date.now();
    expect(delayMs(before)).toBeLessThan(7_000);
    await pipeline.webhooks.noteReceived();
    const { record, around } = await claim(before.record.id, 3, deps);
    expect(delayMs({ record, around })).toBeGreaterThan(59_000);
    expect(delayMs({ record: { ...record, toldAt: Date.now() }, around })).toBeLessThan(7_000);
  });
});
