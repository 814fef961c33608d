import { describe, expect, it } from 'vitest';
import { publishIdOf } from '../../../src/core/session.ts';
import { sweepOnce } from '../../../src/workers/runtime/sweep.ts';
import { eventually } from '../../support/eventually.ts';
import { type PipelineOptions, startTestPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

const WAIT = { timeoutMs: 90_000 };
const LONG_BACKOFF = { maxAttempts: 8, baseMs: 600_000, factor: 1, maxMs: 600_000 };

/** Two jobs of one account, the first of which has its turn and the second of which waits. */
async function startWithTwoJobs(options: PipelineOptions = {}) {
  const pipeline = await startTestPipeline({ workers: false, retries: LONG_BACKOFF, ...options });
  const { publisher, folder, redis, keys, deps, queues } = pipeline;
  const media = { type: 'file', path: await makeVideo(folder, 1_000) } as const;
  const request = { account: 'acme', mode: 'inbox', media } as const;
  const [first, second] = await publisher.enqueueBulk([request, request]);
  if (first === undefined || second === undefined) throw new Error('two jobs were enqueued');
  return {
    ...pipeline,
    ...{ first, second },
    /** What the sweep does at a job that nobody has looked at for a while. */
    async sweepJob(id: string) {
      await redis.zadd(keys.due, 'XX', 0, id);
      await sweepOnce(deps);
    },
    /** What the sweep does at a lane that nobody has looked at for a while. */
    async sweep() {
      await redis.zadd(keys.lanes, 'XX', 0, 'acme');
      await sweepOnce(deps);
    },
    isAsleep: async (id: string) => (await (await queues.publish.getJob(id))?.isDelayed()) === true,
  };
}

describe('the sweep', () => {
  it('is not held up by a job that only a newer version can read, and keeps it', async () => {
    const { first, second, publisher, queues, redis, keys, deps } = await startWithTwoJobs();
    await redis.hset(keys.job(first.id), 'request', '{"account":"acme","mode":"inbox","media":{"type":"hologram"}}');
    await queues.publish.remove(second.id);
    await redis.zadd(keys.due, 'XX', 0, first.id, 0, second.id);
    await redis.zadd(keys.lanes, 'XX', 0, 'acme');
    await sweepOnce(deps);
    expect(await queues.publish.getJob(second.id)).toBeDefined();
    expect(await deps.ledger.takeDue(Date.now(), 10)).toEqual([]);
    expect(await redis.zscore(keys.due, first.id)).not.toBeNull();
    await expect(publisher.get(first.id)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('does not postpone a job that was changed while it was looked at', async () => {
    const { first, second, publisher, redis, keys, deps } = await startWithTwoJobs();
    const now = (await deps.ledger.serverTime()) + 86_400_000;
    expect((await deps.ledger.takeDue(now, 10)).sort()).toEqual([first.id, second.id].sort());
    await publisher.update(second.id, { priority: 1 });
    const changed = await redis.zscore(keys.due, second.id);
    await deps.ledger.postpone(now, new Map([first.id, second.id].map((id) => [id, now + 1_000])));
    expect(await redis.zscore(keys.due, first.id)).toBe(String(now + 1_000));
    expect(await redis.zscore(keys.due, second.id)).toBe(changed);
  });

  it('leaves the job of a paused account asleep, and wakes it when a resume was not followed by a wake-up', async () => {
    const { first, vault, sweep, isAsleep, publisher, startWorkers } = await startWithTwoJobs();
    await vault.pause('acme');
    await startWorkers();
    await eventually(async () => (await publisher.get(first.id))?.waitingFor === 'account_paused');
    await eventually(() => isAsleep(first.id));
    await sweep();
    expect(await isAsleep(first.id)).toBe(true);
    await vault.resume('acme');
    await sweep();
    expect(await publisher.waitForCompletion(first.id, WAIT)).toMatchObject({ state: 'in_inbox' });
  });

  it('lets an upload under way sit out its backoff', async () => {
    const { first, sweep, isAsleep, publisher, simulator, startWorkers, second } = await startWithTwoJobs();
    simulator.faults.add({ endpoint: 'upload', act: { kind: 'status', httpStatus: 500 } });
    await startWorkers();
    await eventually(async () => (await publisher.get(first.id))?.attempts === 1);
    await eventually(() => isAsleep(first.id));
    await sweep();
    expect(await isAsleep(first.id)).toBe(true);
    expect(await publisher.get(second.id)).toMatchObject({ state: 'queued', waitingFor: 'turn' });
  });

  it('wakes a job whose turn has come when whoever gave it the turn died before waking it', async () => {
    const { first, second, sweep, publisher, deps, startWorkers } = await startWithTwoJobs();
    await publisher.cancel(first.id);
    await deps.lanes.leave('acme', first.id);
    await startWorkers();
    await sweep();
    expect(await publisher.waitForCompletion(second.id, WAIT)).toMatchObject({ state: 'in_inbox' });
  });

  it('lets a job sit out the backoff of an attempt that failed after it had waited for its turn', async () => {
    const { first, second, sweep, isAsleep, publisher, simulator, startWorkers, redis, keys, queues } =
      await startWithTwoJobs();
    simulator.faults.add({ endpoint: 'token', when: { times: 'always' }, act: { kind: 'status', httpStatus: 500 } });
    await redis.hset(keys.account('acme'), { accessTokenExpiresAt: 1 });
    await startWorkers();
    await eventually(async () => (await publisher.get(second.id))?.attempts === 1);
    await eventually(() => isAsleep(second.id));
    expect(await publisher.get(second.id)).toMatchObject({ state: 'queued', waitingFor: null });
    await eventually(() => isAsleep(first.id));
    await (await queues.publish.getJob(first.id))?.promote();
    await eventually(async () => (await publisher.get(first.id))?.attempts === 2);
    await sweep();
    expect(await isAsleep(second.id)).toBe(true);
    expect(await publisher.get(second.id)).toMatchObject({ attempts: 1 });
  });

  it('leaves a job asleep that tries again at a time although its account is not known to need its owner', async () => {
    const { first, sweep, isAsleep, publisher, simulator, startWorkers, redis, keys } = await startWithTwoJobs();
    const tokensOfAnotherApp = { accessTokenExpiresAt: 1, clientKey: 'another app' };
    await redis.hset(keys.account('acme'), tokensOfAnotherApp);
    const refused = { kind: 'status', httpStatus: 200, code: 'invalid_grant' } as const;
    simulator.faults.add({ endpoint: 'token', when: { times: 'always' }, act: refused });
    await startWorkers();
    await eventually(async () => (await publisher.get(first.id))?.waitingFor === 'reauthorization');
    await eventually(() => isAsleep(first.id));
    await sweep();
    expect(await isAsleep(first.id)).toBe(true);
  });

  it('wakes the last job of an account when a resume was not followed by a wake-up', async () => {
    const { first, second, vault, sweepJob, isAsleep, publisher, startWorkers } = await startWithTwoJobs();
    await publisher.cancel(first.id);
    await vault.pause('acme');
    await startWorkers();
    await eventually(async () => (await publisher.get(second.id))?.waitingFor === 'account_paused');
    await eventually(() => isAsleep(second.id));
    await sweepJob(second.id);
    expect(await isAsleep(second.id)).toBe(true);
    await vault.resume('acme');
    await sweepJob(second.id);
    expect(await publisher.waitForCompletion(second.id, WAIT)).toMatchObject({ state: 'in_inbox' });
  });

  it('looks after a job that TikTok has, however long it has waited', async () => {
    const { first, sweepJob, publisher, simulator, account, startWorkers, redis, keys, deps, queues } =
      await startWithTwoJobs({ maxWaitMs: 1 });
    simulator.faults.add({ endpoint: 'inbox_init', act: { kind: 'stuck_processing' } });
    await startWorkers();
    await eventually(async () => (await publisher.get(first.id))?.state === 'processing');
    simulator.revokeGrant(account.openId);
    await eventually(async () => (await publisher.get(first.id))?.waitingFor === 'reauthorization');
    await eventually(async () => (await queues.status.getJob(first.id))?.isDelayed() ?? false);
    await queues.status.remove(first.id);
    await sweepJob(first.id);
    expect(await queues.isPending('status', first.id)).toBe(true);
    expect(Number(await redis.zscore(keys.due, first.id))).toBeGreaterThan(deps.clock.now());
    expect(await publisher.get(first.id)).toMatchObject({ state: 'processing' });
  });

  it('fails a job that was paused within its upload and has waited for too long', async () => {
    const { first, vault, sweepJob, isAsleep, publisher, simulator, startWorkers, queues, deps, metrics } =
      await startWithTwoJobs({ maxWaitMs: 1 });
    simulator.faults.add({ endpoint: 'upload', act: { kind: 'status', httpStatus: 500 } });
    await startWorkers();
    await eventually(async () => (await publisher.get(first.id))?.attempts === 1);
    await eventually(() => isAsleep(first.id));
    const begun = await deps.ledger.read(first.id);
    if (begun === undefined) throw new Error('it has a record');
    // As if more chunks were to come, none of which may publish.
    await deps.ledger.annotate(begun, {
      cause: { event: 'handed_back' },
      patch: { session: { kind: 'upload', publishId: publishIdOf(begun.session) ?? '' } },
    });
    await vault.pause('acme');
    await (await queues.publish.getJob(first.id))?.promote();
    await eventually(async () => (await publisher.get(first.id))?.waitingFor === 'account_paused');
    await eventually(() => isAsleep(first.id));
    await sweepJob(first.id);
    expect(await publisher.get(first.id)).toMatchObject({
      state: 'failed',
      failure: { code: 'AUTH_ACCOUNT_PAUSED', retryable: true },
    });
    const counted = 'tiktok_publish_jobs_total{mode="inbox",source="file",outcome="failed"} 1';
    expect(await metrics.render()).toContain(counted);
  });
});
