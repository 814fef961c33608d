import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, type ErrorCode } from '../../../src/core/error-table.ts';
import { openCase, retriedCodes } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';

const world = usePublishWorld(100_000);

describe('a post that TikTok fails for good', () => {
  it.concurrent.each<[failReason: string, code: ErrorCode]>([
    ['file_format_check_failed', 'TIKTOK_MEDIA_FORMAT'],
    ['duration_check_failed', 'TIKTOK_MEDIA_DURATION'],
    ['frame_rate_check_failed', 'TIKTOK_MEDIA_FRAME_RATE'],
    ['picture_size_check_failed', 'TIKTOK_MEDIA_PICTURE_SIZE'],
    ['video_bitrate_check_failed', 'TIKTOK_MEDIA_BITRATE'],
    ['publish_cancelled', 'TIKTOK_PUBLISH_CANCELLED'],
    ['auth_removed', 'AUTH_REMOVED'],
    ['auth_failed', 'AUTH_REMOVED'],
    ['file_format', 'TIKTOK_MEDIA_FORMAT'],
    ['duration', 'TIKTOK_MEDIA_DURATION'],
    ['frame_rate', 'TIKTOK_MEDIA_FRAME_RATE'],
    ['picture_size', 'TIKTOK_MEDIA_PICTURE_SIZE'],
    ['spam_risk_too_many_posts', 'TIKTOK_POSTED_TOO_OFTEN'],
    ['spam_risk_user_banned_from_posting', 'TIKTOK_USER_BANNED'],
    ['spam_risk_text', 'TIKTOK_SPAM_TEXT'],
    ['spam_risk', 'TIKTOK_SPAM'],
    ['privacy_level_not_authorized', 'TIKTOK_PRIVACY_NOT_AUTHORIZED'],
    ['mercury_in_retrograde', 'TIKTOK_FAILED_UNKNOWN_REASON'],
    ['', 'TIKTOK_FAILED_UNKNOWN_REASON'],
  ])('for the reason "%s" fails as %s, after one init', async (failReason, code) => {
    const { fault, enqueueFile, enqueuePull, ended, inits, posts } = await openCase(world().pipeline);
    fault('upload', { kind: 'fail_processing', failReason }, { lastChunk: true });
    fault('video_init', { kind: 'fail_processing', failReason }, { nth: 2 });
    for (const start of [() => enqueueFile(world().video), () => enqueuePull()]) {
      const job = await ended(await start());
      expect(job).toMatchObject({ state: 'failed', postIds: [], attempts: 0 });
      const { advice, retryable } = ERROR_TABLE[code];
      expect(job.failure).toMatchObject({ code, advice, retryable });
      if (failReason !== '') expect(job.failure?.tiktokCode).toBe(failReason);
    }
    expect(inits()).toHaveLength(2);
    expect(posts()).toEqual([]);
  });
});

describe('a post that TikTok fails for a passing reason', () => {
  it.concurrent.each<[source: 'file' | 'pull', failReason: string, code: ErrorCode]>([
    ['file', 'internal', 'TIKTOK_PROCESSING_INTERNAL'],
    ['pull', 'internal', 'TIKTOK_PROCESSING_INTERNAL'],
    ['pull', 'video_pull_failed', 'TIKTOK_PULL_FAILED'],
    ['pull', 'photo_pull_failed', 'TIKTOK_PULL_FAILED'],
    ['pull', 'video_download_failed', 'TIKTOK_PULL_FAILED'],
    ['pull', 'photo_download_failed', 'TIKTOK_PULL_FAILED'],
  ])('by %s for the reason "%s" restarts and is published once', async (source, failReason, code) => {
    const { fault, enqueueFile, enqueuePull, ended, publishes, posts } = await openCase(world().pipeline);
    fault('video_init', { kind: 'fail_processing', failReason });
    const job = await ended(source === 'file' ? await enqueueFile(world().video) : await enqueuePull());
    expect(job).toMatchObject({ state: 'published', failure: null });
    expect(retriedCodes(job)).toEqual([code]);
    expect(publishes().map(({ status }) => status)).toEqual(['FAILED', 'PUBLISH_COMPLETE']);
    expect(posts()).toHaveLength(1);
    expect(job.publishId).toBe(posts()[0]?.publishId);
    if (source === 'file') expect(posts()[0]?.sha256).toBe(world().sha256);
  });

  it.concurrent.each([
    // F11: two new inits, however many attempts are left.
    ['file', 'internal', 'TIKTOK_PROCESSING_INTERNAL', 3],
    ['pull', 'internal', 'TIKTOK_PROCESSING_INTERNAL', 3],
    // No upload renews the attempts of a pull.
    ['pull', 'video_pull_failed', 'TIKTOK_PULL_FAILED', 4],
  ] as const)(
    'by %s again and again fails as "%s" in the end: %s after %i inits',
    async (source, failReason, code, initCount) => {
      const { fault, enqueueFile, enqueuePull, ended, inits, posts } = await openCase(world().pipeline);
      fault('video_init', { kind: 'fail_processing', failReason }, { times: 'always' });
      const job = await ended(source === 'file' ? await enqueueFile(world().video) : await enqueuePull());
      expect(job).toMatchObject({ state: 'failed', failure: { code, tiktokCode: failReason } });
      expect(inits()).toHaveLength(initCount);
      expect(posts()).toEqual([]);
    },
  );
});
