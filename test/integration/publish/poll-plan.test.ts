import { describe, expect, it } from 'vitest';
import { DEFAULT_POLL_SCHEDULE } from '../../../src/core/poll-schedule.ts';
import { newRecord } from '../../../src/ledger/change.ts';
import { planFirstPoll, planPoll } from '../../../src/workers/status/plan-poll.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';

/** Brings so many jobs of an account to `processing`, and answers the last. */
async function makePending({ deps }: Pipeline, account: string, count: number) {
  const request = { version: 1, account, mode: 'inbox', media: { type: 'file', path: '/v.mp4' } } as const;
  const records = await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const id = `${account}-${n}`;
      await deps.ledger.create(newRecord({ id, request, account, now: Date.now() }), { event: 'queued' });
      const claim = await deps.ledger.claim(id, { entry: id, start: 1 });
      if (claim.kind !== 'claimed') throw new Error(claim.kind);
      const begun = await deps.ledger.commit(claim.record, {
        to: 'uploading',
        cause: { event: 'init_sent', source: 'file_upload' },
      });
      const patch = { processingSince: Date.now() };
      return await deps.ledger.commit(begun, {
        to: 'processing',
        cause: { event: 'upload_completed', totalBytes: 1 },
        patch,
      });
    }),
  );
  const last = records.at(-1);
  if (last === undefined) throw new Error('none');
  return last;
}

describe('the plan of polls', () => {
  it("divides TikTok's limit over an account's pending posts, and leaves other accounts alone", async () => {
    const pipeline = await startTestPipeline({ workers: false, polls: DEFAULT_POLL_SCHEDULE });
    const { deps } = pipeline;
    const crowded = await makePending(pipeline, 'crowded', 50);
    const lonely = await makePending(pipeline, 'lonely', 1);
    const delayMs = async (record: typeof crowded, polls: number) => (await planPoll(record, polls, deps)) - Date.now();
    // Fifty jobs, each polled every two and a half minutes or less often: twenty polls a minute of the thirty allowed.
    expect(await delayMs(crowded, 1)).toBeGreaterThan(149_000);
    expect((await planFirstPoll(crowded, deps)) - Date.now()).toBeGreaterThan(149_000);
    expect(await delayMs(lonely, 1)).toBeLessThan(10_000);
  });

  it('is wide while webhooks arrive, and narrow for a job that one told of', async () => {
    const pipeline = await startTestPipeline({ workers: false, polls: DEFAULT_POLL_SCHEDULE });
    const { deps } = pipeline;
    const record = await makePending(pipeline, 'acme', 1);
    const delayMs = async (job: typeof record) => (await planPoll(job, 0, deps)) - Date.now();
    expect(await delayMs(record)).toBeLessThan(7_000);
    await pipeline.webhooks.noteReceived();
    expect(await delayMs(record)).toBeGreaterThan(59_000);
    expect(await delayMs({ ...record, toldAt: Date.now() })).toBeLessThan(7_000);
  });
});
