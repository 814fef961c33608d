import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, type ErrorCode } from '../../../src/core/error-table.ts';
import { PublishError } from '../../../src/core/publish-error.ts';
import { type PublishJob, toFailure } from '../../../src/core/publish-job.ts';
import { recheckEntryId } from '../../../src/ledger/queues/job-ids.ts';
import type { FaultAct } from '../../../src/simulator/index.ts';
import { eventually } from '../../support/eventually.ts';
import { RAPID_POLLS, RAPID_RETRIES } from '../../support/pipeline.ts';
import { openCase, type PublishCase } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';

const VIDEO_BYTES = 12_000_000;

const refusal = (httpStatus: number, code: string): FaultAct => ({ kind: 'status', httpStatus, code });
const raw = (httpStatus: number, body: string): FaultAct => ({ kind: 'raw', httpStatus, body });
const statusAnswer = (data: unknown): FaultAct =>
  raw(200, JSON.stringify({ data, error: { code: 'ok', message: '', log_id: 'L1' } }));

const failedPolls = ({ timeline }: PublishJob): unknown[] =>
  timeline.filter(({ event }) => event === 'poll_failed').map(({ code }) => code);

describe('trouble with the status of a post that TikTok has', () => {
  const world = usePublishWorld(VIDEO_BYTES);

  it.concurrent.each<[title: string, act: FaultAct, code: ErrorCode | undefined]>([
    ['500', refusal(500, 'internal_error'), 'TIKTOK_INTERNAL'],
    ['500 without a code', refusal(500, ''), 'TIKTOK_INTERNAL'],
    ['a page of a gateway with 502', raw(502, '<html>bad gateway</html>'), undefined],
    ['a page of a gateway with 504', raw(504, '<html>too late</html>'), 'TIKTOK_INTERNAL'],
    ['a broken connection', { kind: 'drop_before' }, undefined],
    ['a lost answer', { kind: 'drop_after' }, undefined],
    ['half a JSON document', raw(200, '{"data":{"status":"PUBL'), 'TRANSPORT_BAD_ANSWER'],
    ['an answer without a status', statusAnswer({}), 'TRANSPORT_BAD_ANSWER'],
    ['a page that says 200', raw(200, '<html>log in</html>'), 'TRANSPORT_BAD_ANSWER'],
    ['a redirect', raw(301, ''), 'TRANSPORT_BAD_ANSWER'],
    ['an unknown status', statusAnswer({ status: 'PROCESSING_ON_MARS' }), undefined],
    ['invalid_publish_id', refusal(400, 'invalid_publish_id'), 'TIKTOK_PUBLISH_ID_UNKNOWN'],
    [
      'a publish_id of another user',
      refusal(400, 'token_not_authorized_for_specified_publish_id'),
      'TIKTOK_PUBLISH_ID_FOREIGN',
    ],
    ['invalid_params', refusal(400, 'invalid_params'), 'TIKTOK_INVALID_PARAMS'],
    ['a missing scope', refusal(401, 'scope_not_authorized'), 'AUTH_SCOPE_MISSING'],
    ['a refusal nobody knows', refusal(400, 'moon_is_full'), 'TIKTOK_UNKNOWN_ERROR'],
    ['a refused token', refusal(401, 'access_token_invalid'), undefined],
    ['401 without a code', raw(401, ''), undefined],
  ])('by %s does not fail the job', async (_title, act, code) => {
    const { fault, enqueueFile, enqueuePull, ended, inits, posts, publishes } = await openCase(world().pipeline);
    for (const start of [() => enqueueFile(world().video), () => enqueuePull()]) {
      const handle = fault('status', act);
      const job = await ended(await start());
      expect(job).toMatchObject({ state: 'published', failure: null, attempts: 0 });
      expect(failedPolls(job)).toEqual(code === undefined ? [] : [code]);
      expect(posts().map(({ publishId }) => publishId)).toContain(job.publishId);
      expect(handle.fired).toBe(1);
    }
    expect([inits().length, posts().length]).toEqual([2, 2]);
    expect(publishes()[0]?.resentBytes).toBe(0);
  });

  it.concurrent('by 429 waits out the minute and asks again', async () => {
    const { fault, enqueueFile, ended, noted, endWait, requests, posts } = await openCase(world().pipeline);
    fault('status', refusal(429, 'rate_limit_exceeded'));
    const startedAt = Date.now();
    const enqueued = await enqueueFile(world().video);
    const job = await noted(enqueued, 'poll_failed', 'TIKTOK_RATE_LIMITED');
    expect(job).toMatchObject({ state: 'processing', attempts: 0, failure: null });
    const retryAt = job.timeline.find(({ event }) => event === 'poll_failed')?.retryAt;
    expect(Date.parse(String(retryAt))).toBeGreaterThanOrEqual(startedAt + 60_000);
    expect(requests('status')).toHaveLength(1);
    await endWait('status', enqueued.id);
    expect(await ended(enqueued)).toMatchObject({ state: 'published' });
    expect(posts()).toHaveLength(1);
  });

  it.concurrent('because its owner disconnected the app keeps asking until somebody connects it again', async () => {
    const { pipeline } = world();
    const { account, openId, fault, enqueueFile, ended, noted } = await openCase(pipeline);
    fault('upload', { kind: 'stuck_processing' }, { lastChunk: true });
    const enqueued = await enqueueFile(world().video);
    await noted(enqueued, 'upload_completed');
    pipeline.simulator.revokeGrant(openId);
    const job = await noted(enqueued, 'poll_failed', 'AUTH_REAUTHORIZATION_REQUIRED');
    expect(job).toMatchObject({ state: 'processing', failure: null });
    expect(await pipeline.vault.get(account)).toMatchObject({ status: 'reauthorization_required' });
    // Connected again, the same TikTok user is asked about: the post is gone with the consent.
    const { accessToken, refreshToken } = pipeline.simulator.addAccount({ openId });
    await pipeline.service.accounts.connect({ account, openId, accessToken, refreshToken });
    expect(await ended(enqueued)).toMatchObject({
      state: 'failed',
      failure: { code: 'AUTH_REMOVED', retryable: true },
    });
  });
});

describe('a publish_id that TikTok does not know for a while after the init', () => {
  const world = usePublishWorld(VIDEO_BYTES, {
    retries: { ...RAPID_RETRIES, maxAttempts: 30 },
  });
  const UNKNOWN = refusal(400, 'invalid_publish_id');

  const publishesOnce = async (publishCase: PublishCase, enqueued: PublishJob): Promise<PublishJob> => {
    const job = await publishCase.ended(enqueued);
    expect(job).toMatchObject({ state: 'published', failure: null });
    expect([publishCase.inits().length, publishCase.posts().length]).toEqual([1, 1]);
    return job;
  };

  it.concurrent.each(['file', 'pull'] as const)('is asked about until it does (%s)', async (source) => {
    const publishCase = await openCase(world().pipeline);
    publishCase.fault('status', UNKNOWN, { times: 3 });
    const enqueued = source === 'file' ? await publishCase.enqueueFile(world().video) : await publishCase.enqueuePull();
    const job = await publishesOnce(publishCase, enqueued);
    expect(new Set(failedPolls(job))).toEqual(new Set(['TIKTOK_PUBLISH_ID_UNKNOWN']));
  });

  it.concurrent('is no reason to give an interrupted upload up', async () => {
    const publishCase = await openCase(world().pipeline);
    publishCase.fault('upload', { kind: 'status', httpStatus: 500 });
    publishCase.fault('status', UNKNOWN, { times: 3 });
    const job = await publishesOnce(publishCase, await publishCase.enqueueFile(world().video));
    expect(job.timeline.some(({ code }) => code === 'TIKTOK_PUBLISH_ID_UNKNOWN')).toBe(true);
    expect(publishCase.posts()).toMatchObject([{ sha256: world().sha256 }]);
  });
});

describe('a publish_id that TikTok has forgotten in the middle of an upload', () => {
  const world = usePublishWorld(VIDEO_BYTES, { retries: { ...RAPID_RETRIES, maxAttempts: 8 } });

  it('is replaced, and the video is published once', async () => {
    const { fault, enqueueFile, ended, inits, posts, publishes } = await openCase(world().pipeline);
    fault('upload', { kind: 'status', httpStatus: 500 });
    const forgotten = fault('status', refusal(400, 'invalid_publish_id'), { times: 'always' });
    const enqueued = await enqueueFile(world().video);
    await eventually(() => inits().length === 2);
    forgotten.remove();
    expect(await ended(enqueued)).toMatchObject({ state: 'published', failure: null });
    expect(publishes().map(({ completeUploads }) => completeUploads)).toEqual([0, 1]);
    expect(posts()).toMatchObject([{ sha256: world().sha256 }]);
  });
});

describe('a post without an outcome', () => {
  const world = usePublishWorld(VIDEO_BYTES, { polls: { ...RAPID_POLLS, giveUpAfterMs: 300 } });

  it.concurrent.each<[title: string, act: FaultAct | undefined]>([
    ['while TikTok is still processing', undefined],
    ['while the status cannot be read', refusal(500, 'internal_error')],
    ['while TikTok does not know the publish_id', refusal(400, 'invalid_publish_id')],
  ])('%s is unconfirmed, never repeated, and corrected by a late answer', async (_title, act) => {
    const { fault, enqueueFile, ended, endWait, inits, posts, publishes } = await openCase(world().pipeline);
    fault('upload', { kind: 'stuck_processing' }, { lastChunk: true });
    const statusFault = act === undefined ? undefined : fault('status', act, { times: 'always' });
    const enqueued = await enqueueFile(world().video);
    const job = await ended(enqueued);
    const { advice } = ERROR_TABLE.TIKTOK_NO_OUTCOME;
    expect(job).toMatchObject({
      state: 'unconfirmed',
      failure: { code: 'TIKTOK_NO_OUTCOME', advice, retryable: false },
    });
    expect(job.publishId).toBe(publishes()[0]?.publishId);
    statusFault?.remove();
    world().pipeline.simulator.settle(job.publishId ?? '');
    await endWait('status', recheckEntryId(job.id));
    await eventually(async () => {
      const postIds = posts().map(({ postId }) => postId);
      expect(postIds).toHaveLength(1);
      expect(await world().pipeline.publisher.get(job.id)).toMatchObject({
        state: 'published',
        failure: null,
        postIds,
      });
    });
    expect(inits()).toHaveLength(1);
  });

  it.concurrent('that TikTok fails late becomes failed, with the reason', async () => {
    const { fault, enqueueFile, ended, endWait } = await openCase(world().pipeline);
    fault('upload', { kind: 'stuck_processing' }, { lastChunk: true });
    const job = await ended(await enqueueFile(world().video));
    expect(job.state).toBe('unconfirmed');
    world().pipeline.simulator.settle(job.publishId ?? '', 'duration_check_failed');
    await endWait('status', recheckEntryId(job.id));
    await eventually(async () => {
      const found = await world().pipeline.publisher.get(job.id);
      expect(found).toMatchObject({ state: 'failed', failure: { code: 'TIKTOK_MEDIA_DURATION' } });
    });
  });

  it.concurrent('of a restored backup stays unconfirmed, however often TikTok fails the publish_id of the backup', async () => {
    const { fault, enqueueFile, ended, endWait, noted } = await openCase(world().pipeline);
    const { ledger } = world().pipeline.deps;
    fault('upload', { kind: 'stuck_processing' }, { lastChunk: true });
    const { id, publishId } = await noted(await enqueueFile(world().video), 'upload_completed');
    const gaveUpFor = toFailure(new PublishError('REDIS_WENT_BACK'));
    // As `ledger accept` does it: a poll under way may not settle the job by what it read before.
    await eventually(async () => {
      const record = await ledger.read(id);
      if (record === undefined) throw new Error('there is no record');
      await ledger.intervene(record, { cause: { event: 'poll_answered' }, patch: { gaveUpFor } });
    });
    world().pipeline.simulator.settle(publishId ?? '', 'duration_check_failed');
    const job = await world().pipeline.publisher.waitForCompletion(id);
    expect(job).toMatchObject({ state: 'unconfirmed', failure: { code: 'REDIS_WENT_BACK' } });
    await endWait('status', recheckEntryId(id));
    await eventually(async () => expect((await ledger.read(id))?.recheckCount).toBe(1));
    // A `failed` job may be retried without force, and a later publish_id that nobody knows may be the post.
    expect(await ended(job)).toMatchObject({ state: 'unconfirmed', failure: { code: 'REDIS_WENT_BACK' } });
  });
});
