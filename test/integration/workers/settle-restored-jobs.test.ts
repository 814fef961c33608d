import { describe, expect, it } from 'vitest';
import { settleRestoredJobs } from '../../../src/workers/runtime/settle-restored-jobs.ts';
import { startTestPipeline } from '../../support/pipeline.ts';

describe('settling the jobs of a restored backup', () => {
  it('takes each job once, whatever state it comes to, and leaves those that came after', async () => {
    const pipeline = await startTestPipeline({ workers: false });
    const { publisher, deps, redis, keys, queues } = pipeline;
    const enqueue = async () =>
      await publisher.enqueue({ account: 'acme', mode: 'inbox', media: { type: 'file', path: '/a.mp4' } });
    const uploading = await enqueue();
    const record = await deps.ledger.read(uploading.id);
    if (record === undefined) throw new Error('there is no record');
    await deps.ledger.intervene(record, {
      ...{
        to: 'uploading',
        cause: { event: 'init_answered', publishId: 'p-1' },
        patch: { session: { kind: 'upload', publishId: 'p-1' } },
      },
    });
    const queued = await enqueue();
    const later = await enqueue();
    const settle = async (apply: boolean) =>
      await settleRestoredJobs(
        { restoredAfter: Date.now(), cameAfter: new Set([later.id]), apply },
        { redis, keys, ledger: deps.ledger, operations: deps.operations, queues, clock: Date },
      );
    const operation = await publisher.operations.start({ kind: 'retry', filter: { state: 'failed' } });
    const expected = { ask: [uploading.id], unconfirmed: [queued.id], keep: [later.id], operations: [operation.id] };
    expect(await settle(false)).toEqual(expected);
    expect((await publisher.operations.get(operation.id)).state).toBe('running');
    expect(await settle(true)).toEqual(expected);
    // What it would retry may have been published since the backup.
    const aborted = { state: 'aborted', abortedBy: 'ledger accept' };
    expect(await publisher.operations.get(operation.id)).toMatchObject(aborted);
    const asked = await publisher.get(uploading.id);
    expect(asked?.timeline.filter(({ event }) => event === 'outcome_awaited')).toHaveLength(1);
    expect((await publisher.get(queued.id))?.state).toBe('unconfirmed');
    expect((await publisher.get(later.id))?.state).toBe('queued');
  });
});
