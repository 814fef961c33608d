import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { exposureOf } from '../../../src/core/exposure.ts';
import { publishEntryOf } from '../../../src/core/job-reference.ts';
import type { Change } from '../../../src/ledger/change.ts';
import { newRecord } from '../../../src/ledger/change.ts';
import { createLedger } from '../../../src/ledger/ledger.ts';
import { rememberJobs } from '../../../src/workers/runtime/job-memory.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { PULL_URL, PULLS } from '../../support/publish-case.ts';
import { rejection } from '../../support/rejection.ts';
import { makeVideo } from '../../support/videos.ts';

const ENDED = { timeoutMs: 90_000 };

async function startIdlePipeline() {
  const pipeline = await startTestPipeline({ workers: false, simulator: { ...PULLS, processingMs: 20, pullMs: 20 } });
  const { redis, keys, queues, publisher } = pipeline;

  /** Keeps the record as it is now. @returns what puts it back, as a failover does that loses acknowledged writes */
  async function keepRecord(id: string): Promise<() => Promise<unknown>> {
    const dump = await redis.dumpBuffer(keys.job(id));
    if (dump === null) throw new Error('there is no record');
    return async () => await redis.restore(keys.job(id), 0, dump, 'REPLACE');
  }

  /** Runs the job's publish entry once more. */
  async function runAgain(id: string): Promise<void> {
    const record = await pipeline.deps.ledger.read(id);
    if (record === undefined) throw new Error('there is no record');
    await queues.removeEntries(id);
    await queues.replacePublishEntry(publishEntryOf(record, 0));
  }

  const enqueue = async (media: { type: 'file'; path: string } | { type: 'pull'; url: string }) =>
    await publisher.enqueue({ account: 'acme', mode: 'inbox', media });
  const inits = () => pipeline.simulator.journal.requests({ endpoint: 'inbox_init' }).length;
  return { ...pipeline, keepRecord, runAgain, enqueue, inits };
}

describe('a record that went back in time', () => {
  it('of a job that was published ends again as it ended, without a second post', async () => {
    const { publisher, startWorkers, folder, keepRecord, runAgain, enqueue, inits, events } = await startIdlePipeline();
    const { id } = await enqueue({ type: 'file', path: await makeVideo(folder, 100_000) });
    const setBack = await keepRecord(id);
    await startWorkers();
    const ended = await publisher.waitForCompletion(id, ENDED);
    expect(ended.state).toBe('in_inbox');
    await setBack();
    expect((await publisher.get(id))?.state).toBe('queued');
    await runAgain(id);
    const again = await eventually(async () => {
      const job = await publisher.get(id);
      if (job?.state !== 'in_inbox') throw new Error(`it is ${job?.state}`);
      return job;
    });
    expect(again.publishId).toBe(ended.publishId);
    expect(again.timeline.at(-1)).toMatchObject({ event: 'record_restored', from: 'queued', to: 'in_inbox' });
    const told = (await events()).filter(({ type }) => type === 'publish.in_inbox');
    expect(told).toHaveLength(2);
    expect(new Set(told.map((event) => event.id)).size).toBe(2);
    expect(inits()).toBe(1);
  });

  it('of a job that was changed has the change again', async () => {
    const { publisher, startWorkers, folder, keepRecord, runAgain, deps } = await startIdlePipeline();
    const media = { type: 'file', path: await makeVideo(folder, 100_000) } as const;
    const post = { title: 'old', privacyLevel: 'SELF_ONLY' } as const;
    const { id } = await publisher.enqueue({ account: 'acme', mode: 'direct', media, post });
    const setBack = await keepRecord(id);
    await publisher.update(id, { post: { title: 'new' } });
    await startWorkers();
    await publisher.waitForCompletion(id, ENDED);
    await setBack();
    await runAgain(id);
    await eventually(async () => (await publisher.get(id))?.state === 'published');
    expect((await deps.ledger.read(id))?.request.post).toEqual({ ...post, title: 'new' });
  });

  it.each([
    ['an upload', async (folder: string) => ({ type: 'file', path: await makeVideo(folder, 100_000) }) as const],
    ['a pull', async () => ({ type: 'pull', url: PULL_URL }) as const],
  ])('of %s whose publish_id got lost asks TikTok about it instead of beginning again', async (_, media) => {
    const { publisher, startWorkers, folder, keepRecord, runAgain, ...pipeline } = await startIdlePipeline();
    const silence = pipeline.simulator.faults.add({
      ...{ endpoint: 'status', when: { times: 'always' }, act: { kind: 'drop_before' } },
    });
    const { id } = await pipeline.enqueue(await media(folder));
    const setBack = await keepRecord(id);
    await startWorkers();
    const { publishId } = await eventually(async () => {
      const job = await publisher.get(id);
      if (job?.state !== 'processing') throw new Error(`it is ${job?.state}`);
      return job;
    });
    await eventually(async () => (await pipeline.queues.publish.getJobState(id)) === 'completed');
    await setBack();
    silence.remove();
    await runAgain(id);
    const ended = await publisher.waitForCompletion(id, ENDED);
    expect(ended).toMatchObject({ state: 'in_inbox', publishId });
    expect(pipeline.inits()).toBe(1);
  });

  it('of a pull whose init was not answered knows again that it may have published', async () => {
    const { deps, enqueue, keepRecord } = await startIdlePipeline();
    const ledger = rememberJobs(deps.ledger, { log: pino({ level: 'silent' }) });
    const { id } = await enqueue({ type: 'pull', url: PULL_URL });
    const setBack = await keepRecord(id);
    const claim = await ledger.claim(id, { entry: 'a', start: 1 });
    if (claim.kind !== 'claimed') throw new Error(claim.kind);
    await ledger.commit(claim.record, {
      to: 'uploading',
      cause: { event: 'init_sent', source: 'pull' },
      patch: { session: { kind: 'init_sent', intendedAt: Date.now() }, initCount: 1 },
    });
    await setBack();
    const again = await ledger.claim(id, { entry: 'a', start: 1 });
    if (again.kind !== 'claimed') throw new Error(again.kind);
    expect(again.record).toMatchObject({ state: 'uploading', initCount: 1 });
    expect(exposureOf(again.record)).toBe('init_in_doubt');
    expect(await ledger.read(id)).toEqual(again.record);
  });

  it('under its owner stops the owner before the next step', async () => {
    const { deps, enqueue, keepRecord } = await startIdlePipeline();
    const { ledger } = deps;
    const { id } = await enqueue({ type: 'pull', url: PULL_URL });
    const claim = await ledger.claim(id, { entry: 'a', start: 1 });
    if (claim.kind !== 'claimed') throw new Error(claim.kind);
    const setBack = await keepRecord(id);
    const first = await ledger.commit(claim.record, { cause: { event: 'handed_back' }, patch: { attempts: 1 } });
    const second = await ledger.commit(first, { cause: { event: 'handed_back' }, patch: { sentBytes: 2 } });
    await setBack();
    const error = await rejection(
      ledger.commit(second, { cause: { event: 'handed_back' }, patch: { acceptedBytes: 3 } }),
    );
    expect(error.code).toBe('INTERNAL_OVERTAKEN');
    const again = await ledger.claim(id, { entry: 'a', start: 2 });
    expect(again).toMatchObject({ kind: 'claimed', record: { attempts: 1, sentBytes: 2, acceptedBytes: 0 } });
  });

  it('is left alone where another owner has begun a session of its own since', async () => {
    const { deps, redis, keys, enqueue, keepRecord } = await startIdlePipeline();
    const mine = deps.ledger;
    const others = createLedger({ redis, keys, clock: Date });
    const { id } = await enqueue({ type: 'pull', url: PULL_URL });
    const setBack = await keepRecord(id);
    const begun = (at: number) =>
      ({
        to: 'uploading',
        cause: { event: 'init_sent', source: 'pull' },
        patch: { session: { kind: 'init_sent', intendedAt: at } as const, initCount: 1 },
      }) as const;
    const first = await mine.claim(id, { entry: 'a', start: 1 });
    if (first.kind !== 'claimed') throw new Error(first.kind);
    await mine.commit(await mine.commit(first.record, begun(1)), { cause: { event: 'handed_back' } });
    await setBack();
    const second = await others.claim(id, { entry: 'a', start: 1 });
    if (second.kind !== 'claimed') throw new Error(second.kind);
    await others.commit(second.record, begun(2));
    expect(await mine.claim(id, { entry: 'a', start: 2 })).toMatchObject({
      record: { session: { kind: 'init_sent', intendedAt: 2 } },
    });
  });

  it('is left alone where a person had it retried since, or where it is another job of the same id', async () => {
    const { deps, redis, keys, enqueue, keepRecord } = await startIdlePipeline();
    const { ledger } = deps;
    const { id } = await enqueue({ type: 'pull', url: PULL_URL });
    const setBack = await keepRecord(id);
    const claim = await ledger.claim(id, { entry: 'a', start: 1 });
    if (claim.kind !== 'claimed') throw new Error(claim.kind);
    await ledger.commit(claim.record, { cause: { event: 'handed_back' }, patch: { attempts: 1 } });
    await setBack();
    await redis.hset(keys.job(id), 'retriedAt', Date.now() + 1);
    expect(await ledger.claim(id, { entry: 'b', start: 1 })).toMatchObject({ record: { attempts: 0 } });

    const request = { account: 'acme', mode: 'inbox', media: { type: 'pull', url: PULL_URL } } as const;
    const other = randomUUID();
    await ledger.create(newRecord({ id: other, request, now: 1_000 }), { event: 'queued' });
    const seen = await ledger.claim(other, { entry: 'a', start: 1 });
    if (seen.kind !== 'claimed') throw new Error(seen.kind);
    await ledger.commit(seen.record, { cause: { event: 'handed_back' }, patch: { attempts: 1 } });
    await ledger.forget({ ...seen.record, revision: 2 });
    await ledger.create(newRecord({ id: other, request, now: 2_000 }), { event: 'queued' });
    expect(await ledger.claim(other, { entry: 'b', start: 1 })).toMatchObject({ record: { attempts: 0 } });
  });

  it('is left as somebody ended it since, unless TikTok may have the post by what is remembered', async () => {
    const { deps, redis, keys, publisher, enqueue, keepRecord } = await startIdlePipeline();
    const { ledger } = deps;
    /** A job of which a worker knows more than the record tells that a failover left. */
    async function setBackAfter(...changes: Change[]): Promise<string> {
      const { id } = await enqueue({ type: 'pull', url: PULL_URL });
      const setBack = await keepRecord(id);
      const claim = await ledger.claim(id, { entry: 'a', start: 1 });
      if (claim.kind !== 'claimed') throw new Error(claim.kind);
      let { record } = claim;
      for (const change of changes) record = await ledger.commit(record, change);
      await setBack();
      return id;
    }
    const tried = (attempts: number): Change => ({ cause: { event: 'handed_back' }, patch: { attempts } });
    const stateAt = async (id: string) => {
      const claim = await ledger.claim(id, { entry: 'b', start: 1 });
      return claim.kind === 'claimed' ? claim.record.state : claim.kind;
    };

    const cancelled = await setBackAfter(tried(1), tried(2));
    await publisher.cancel(cancelled);
    expect(await stateAt(cancelled)).toBe('cancelled');

    const accepted = await setBackAfter(tried(1), tried(2));
    const others = createLedger({ redis, keys, clock: Date });
    const before = await others.read(accepted);
    if (before === undefined) throw new Error('there is no record');
    await others.intervene(before, { to: 'unconfirmed', cause: { event: 'unconfirmed' } });
    expect(await stateAt(accepted)).toBe('unconfirmed');

    const begun: Change = {
      to: 'uploading',
      cause: { event: 'init_sent', source: 'pull' },
      patch: { session: { kind: 'init_sent', intendedAt: 1 }, initCount: 1 },
    };
    const sent = await setBackAfter(begun, tried(1));
    await publisher.cancel(sent);
    expect(await stateAt(sent)).toBe('uploading');
  });
});
