import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, type ErrorCode } from '../../../src/core/error-table.ts';
import type { WaitReason } from '../../../src/core/publish-state.ts';
import type { FaultAct } from '../../../src/simulator/index.ts';
import { eventually } from '../../support/eventually.ts';
import { openCase, retriedCodes } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';

const world = usePublishWorld(100_000);

const refusal = (httpStatus: number, code: string): FaultAct => ({
  kind: 'status',
  httpStatus,
  code,
  message: 'in the words of TikTok',
});
const raw = (httpStatus: number, body: string, headers?: Record<string, string>): FaultAct => ({
  kind: 'raw',
  httpStatus,
  body,
  ...(headers !== undefined && { headers }),
});
const PAGE = '<html><body>gateway</body></html>';
const initAnswer = (data: unknown): string =>
  JSON.stringify({ data, error: { code: 'ok', message: '', log_id: 'L1' } });

describe('an init that TikTok refuses for good', () => {
  it.concurrent.each<[endpoint: 'video_init' | 'inbox_init', httpStatus: number, tiktokCode: string, code: ErrorCode]>([
    ['video_init', 400, 'invalid_params', 'TIKTOK_INVALID_PARAMS'],
    ['video_init', 400, 'invalid_param', 'TIKTOK_INVALID_PARAMS'],
    ['video_init', 400, 'invalid_file_upload', 'TIKTOK_INVALID_FILE_UPLOAD'],
    ['video_init', 401, 'scope_not_authorized', 'AUTH_SCOPE_MISSING'],
    ['inbox_init', 401, 'scope_permission_missed', 'AUTH_SCOPE_MISSING'],
    ['video_init', 403, 'privacy_level_option_mismatch', 'TIKTOK_PRIVACY_MISMATCH'],
    ['video_init', 403, 'unaudited_client_can_only_post_to_private_accounts', 'TIKTOK_UNAUDITED_CLIENT'],
    ['inbox_init', 400, 'app_version_check_failed', 'TIKTOK_APP_VERSION'],
    ['video_init', 403, 'url_ownership_unverified', 'TIKTOK_URL_UNVERIFIED'],
    ['video_init', 400, 'token_not_authorized_for_specified_publish_id', 'TIKTOK_PUBLISH_ID_FOREIGN'],
    ['video_init', 400, 'publish_not_cancellable', 'TIKTOK_NOT_CANCELLABLE'],
  ])('%s %i %s fails the job as %s, with advice and no second init', async (endpoint, httpStatus, tiktokCode, code) => {
    const { fault, enqueueFile, enqueuePull, ended, inits, publishes } = await openCase(world().pipeline);
    fault(endpoint, refusal(httpStatus, tiktokCode), { times: 'always' });
    const mode = endpoint === 'video_init' ? 'direct' : 'inbox';
    for (const enqueued of [await enqueueFile(world().video, mode), await enqueuePull(mode)]) {
      const job = await ended(enqueued);
      expect(job).toMatchObject({ state: 'failed', publishId: null, attempts: 0 });
      expect(job.failure).toMatchObject({ code, tiktokCode, advice: ERROR_TABLE[code].advice });
      expect(job.failure?.message).toContain('in the words of TikTok');
      expect(job.failure?.tiktokLogId).toMatch(/^2026/);
    }
    expect(inits()).toHaveLength(2);
    expect(publishes()).toEqual([]);
  });

  it.concurrent('refuses by itself what the simulator knows to be wrong: a scope that was not granted', async () => {
    const { enqueueFile, ended, inits } = await openCase(world().pipeline, { scopes: ['user.info.basic'] });
    const job = await ended(await enqueueFile(world().video));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'AUTH_SCOPE_MISSING', retryable: true } });
    expect(inits()).toHaveLength(1);
  });

  it.concurrent('an upload URL elsewhere gets no byte: UPLOAD_URL_REFUSED', async () => {
    const { fault, enqueueFile, ended, inits, requests } = await openCase(world().pipeline);
    const data = {
      publish_id: 'v_pub_file~v2-1.7',
      upload_url: 'https://tiktokapis.com.example.com/video/?upload_id=1',
    };
    fault('video_init', raw(200, initAnswer(data)));
    const job = await ended(await enqueueFile(world().video));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'UPLOAD_URL_REFUSED', retryable: true } });
    expect(JSON.stringify(job)).not.toContain('upload_id=1');
    expect(inits()).toHaveLength(1);
    expect(requests('upload')).toEqual([]);
  });
});

describe('an init that TikTok asks to make later', () => {
  it.concurrent.each<
    [endpoint: 'video_init' | 'inbox_init', act: FaultAct, code: ErrorCode, waitingFor: WaitReason, leastMs: number]
  >([
    ['video_init', { kind: 'rate_limit' }, 'TIKTOK_RATE_LIMITED', 'rate_limit', 60_000],
    ['inbox_init', { kind: 'rate_limit', retryAfterSeconds: 1 }, 'TIKTOK_RATE_LIMITED', 'rate_limit', 60_000],
    ['video_init', { kind: 'rate_limit', retryAfterSeconds: 90 }, 'TIKTOK_RATE_LIMITED', 'rate_limit', 90_000],
    ['video_init', raw(429, PAGE), 'TIKTOK_RATE_LIMITED', 'rate_limit', 60_000],
    ['video_init', refusal(403, 'spam_risk_too_many_posts'), 'TIKTOK_DAILY_POST_CAP', 'daily_cap', 3_600_000],
    [
      'inbox_init',
      refusal(403, 'spam_risk_too_many_pending_share'),
      'TIKTOK_PENDING_SHARE_CAP',
      'pending_share_cap',
      3_600_000,
    ],
  ])('%s answered with %j waits: %s', async (endpoint, act, code, waitingFor, leastMs) => {
    const mode = endpoint === 'video_init' ? 'direct' : 'inbox';
    const state = mode === 'direct' ? 'published' : 'in_inbox';
    for (const source of ['file', 'pull'] as const) {
      const { fault, enqueueFile, enqueuePull, ended, noted, endWait, inits, publishes } = await openCase(
        world().pipeline,
      );
      fault(endpoint, act);
      const startedAt = Date.now();
      const enqueued = source === 'file' ? await enqueueFile(world().video, mode) : await enqueuePull(mode);
      const waiting = await noted(enqueued, 'deferred', code);
      expect(waiting).toMatchObject({ state: 'queued', waitingFor, attempts: 0, failure: null, publishId: null });
      expect(Date.parse(waiting.waitingUntil ?? '')).toBeGreaterThanOrEqual(startedAt + leastMs);
      expect(inits()).toHaveLength(1);

      await endWait('publish', enqueued.id);
      expect(await ended(enqueued)).toMatchObject({ state, waitingFor: null, attempts: 0, failure: null });
      expect(inits()).toHaveLength(2);
      expect(publishes()).toHaveLength(1);
    }
  });
});

describe('an init that goes wrong', () => {
  const AFRESH: [title: string, act: FaultAct, code: ErrorCode][] = [
    ['internal_error', refusal(500, 'internal_error'), 'TIKTOK_INTERNAL'],
    ['500 without a code', { kind: 'status', httpStatus: 500, code: '' }, 'TIKTOK_INTERNAL'],
    ['the page of a gateway with 502', raw(502, PAGE), 'TIKTOK_INTERNAL'],
    ['the page of a gateway with 503', raw(503, PAGE), 'TIKTOK_INTERNAL'],
    ['half a JSON document', raw(200, '{"data":{"publish_id":"v_pub'), 'TRANSPORT_BAD_ANSWER'],
    ['ok without a publish_id', raw(200, initAnswer({})), 'TRANSPORT_BAD_ANSWER'],
    ['a page that says 200', raw(200, PAGE), 'TRANSPORT_BAD_ANSWER'],
    ['a redirect', raw(302, '', { location: 'https://example.com/' }), 'TRANSPORT_BAD_ANSWER'],
    ['a connection that breaks before TikTok acts', { kind: 'drop_before' }, 'TRANSPORT_NO_ANSWER'],
    ['a connection that breaks after TikTok acted', { kind: 'drop_after' }, 'TRANSPORT_NO_ANSWER'],
  ];

  it.concurrent.each(AFRESH)('is repeated for a file after %s, and publishes once', async (_title, act, code) => {
    const { fault, enqueueFile, ended, inits, posts } = await openCase(world().pipeline);
    fault('video_init', act);
    const job = await ended(await enqueueFile(world().video));
    expect(job).toMatchObject({ state: 'published', failure: null });
    expect(retriedCodes(job)).toEqual([code]);
    expect(inits()).toHaveLength(2);
    expect(posts()).toMatchObject([{ sha256: world().sha256, publishId: job.publishId }]);
  });

  it.concurrent.each(AFRESH)('is never repeated for a pull after %s: unconfirmed', async (_title, act) => {
    const { fault, enqueuePull, ended, inits, publishes } = await openCase(world().pipeline);
    fault('video_init', act);
    const enqueued = await enqueuePull();
    const job = await ended(enqueued);
    expect(job).toMatchObject({ state: 'unconfirmed', publishId: null, attempts: 0 });
    expect(job.failure).toMatchObject({ code: 'TIKTOK_LOST_INIT', retryable: false });
    expect(job.failure?.advice).toBe(ERROR_TABLE.TIKTOK_LOST_INIT.advice);
    // Nothing is left on the queue that could begin it again.
    await eventually(async () => !(await world().pipeline.queues.isPending('publish', enqueued.id)));
    expect(inits()).toHaveLength(1);
    expect(publishes()).toHaveLength(act.kind === 'drop_after' ? 1 : 0);
  });

  it.concurrent.each([
    ['video_init', 'ok without an upload_url', raw(200, initAnswer({ publish_id: 'v_pub_file~v2-1.8' }))],
    ['inbox_init', 'a lost answer', { kind: 'drop_after' }],
  ] as const)('is repeated for a file when %s answers %s', async (endpoint, _title, act) => {
    const { fault, enqueueFile, ended, inits } = await openCase(world().pipeline);
    fault(endpoint, act);
    const mode = endpoint === 'video_init' ? 'direct' : 'inbox';
    expect((await ended(await enqueueFile(world().video, mode))).state).toBe(
      mode === 'direct' ? 'published' : 'in_inbox',
    );
    expect(inits()).toHaveLength(2);
  });

  it.concurrent('is not repeated for a draft by pull whose answer was lost', async () => {
    const { fault, enqueuePull, ended, inits, publishes } = await openCase(world().pipeline);
    fault('inbox_init', { kind: 'drop_after' });
    const job = await ended(await enqueuePull('inbox'));
    expect(job).toMatchObject({ state: 'unconfirmed', failure: { code: 'TIKTOK_LOST_INIT' } });
    expect(inits()).toHaveLength(1);
    expect(publishes()).toHaveLength(1);
  });

  it.concurrent.each(['file', 'pull'] as const)('is repeated for a %s after a refusal nobody knows', async (source) => {
    const { fault, enqueueFile, enqueuePull, ended, inits, posts } = await openCase(world().pipeline);
    fault('video_init', refusal(400, 'moon_is_full'));
    const job = await ended(source === 'file' ? await enqueueFile(world().video) : await enqueuePull());
    expect(job.state).toBe('published');
    expect(retriedCodes(job)).toEqual(['TIKTOK_UNKNOWN_ERROR']);
    expect([inits().length, posts().length]).toEqual([2, 1]);
  });

  it.concurrent('fails with the last error once the attempts are used up', async () => {
    const { fault, enqueueFile, ended, inits, posts } = await openCase(world().pipeline);
    fault('video_init', refusal(400, 'moon_is_full'), { times: 'always' });
    const job = await ended(await enqueueFile(world().video));
    expect(job).toMatchObject({
      state: 'failed',
      failure: { code: 'TIKTOK_UNKNOWN_ERROR', tiktokCode: 'moon_is_full', retryable: true },
    });
    expect(retriedCodes(job)).toHaveLength(3);
    expect([inits().length, posts().length]).toEqual([4, 0]);
  });
});
