import { describe, expect, it } from 'vitest';
import { planCancel } from '../../../src/core/cancel-plan.ts';
import { ALL_PUBLISH_STATES, isTerminal } from '../../../src/core/publish-state.ts';
import { isWorthRechecking, nextRecheckDelayMs } from '../../../src/core/recheck-schedule.ts';
import { planRetry } from '../../../src/core/retry-plan.ts';
import { DAY_MS, MINUTE_MS } from '../../../src/core/units.ts';

const NOW = Date.parse('2026-12-01T10:00:00Z');
const UPLOAD = { media: { type: 'file', path: '/v.mp4' } } as const;
const PULL = { media: { type: 'pull', url: 'https://example.com/v.mp4' } } as const;
const NONE = { kind: 'none' } as const;
const SENT = { kind: 'upload', publishId: 'p' } as const;
const WHOLE = { ...SENT, lastChunkStartedAt: 1 } as const;
const FETCHED = { kind: 'fetch', publishId: 'p' } as const;

describe('planRetry', () => {
  const failedUpload = {
    state: 'failed',
    request: UPLOAD,
    session: { kind: 'upload', publishId: 'p', urlSealed: 's' },
  } as const;
  const lostPull = { state: 'unconfirmed', request: PULL, session: NONE } as const;

  it.each([
    [
      'begins afresh when TikTok itself failed the post',
      { ...failedUpload, session: { kind: 'failed', publishId: 'p', failedAt: 1 } } as const,
      'fresh_init',
    ],
    [
      'begins afresh when there never was a publish_id',
      { state: 'failed', request: UPLOAD, session: NONE } as const,
      'fresh_init',
    ],
    ['goes on with the bytes of an upload that is not complete', failedUpload, 'resume'],
    ['begins afresh when the upload URL is gone', { ...failedUpload, session: SENT } as const, 'fresh_init'],
    ['asks TikTok when it may have the last chunk', { ...failedUpload, session: WHOLE } as const, 'poll'],
    [
      'asks TikTok about an unconfirmed post',
      { ...failedUpload, state: 'unconfirmed', session: WHOLE } as const,
      'poll',
    ],
    [
      'asks TikTok about an unconfirmed upload, whatever we remember of its bytes',
      { ...failedUpload, state: 'unconfirmed', session: SENT } as const,
      'poll',
    ],
    ['asks TikTok about a pull that has a publish_id', { ...lostPull, session: FETCHED } as const, 'poll'],
  ])('%s', (_, job, kind) => {
    expect(planRetry(job, { force: false, now: NOW })).toEqual({ kind });
  });

  it('refuses what could post twice unless forced', () => {
    expect(planRetry(lostPull, { force: false, now: NOW })).toMatchObject({
      kind: 'refuse',
      reason: expect.stringContaining('force'),
    });
    expect(planRetry(lostPull, { force: true, now: NOW })).toEqual({ kind: 'fresh_init' });
  });

  it.each(ALL_PUBLISH_STATES.filter((state) => state !== 'failed' && state !== 'unconfirmed'))(
    'refuses a %s job even when forced',
    (state) => {
      expect(planRetry({ state, request: UPLOAD, session: NONE }, { force: true, now: NOW })).toMatchObject({
        kind: 'refuse',
      });
    },
  );
});

describe('planCancel', () => {
  it.each([
    ['scheduled', {}, 'now'],
    ['queued', {}, 'now'],
    ['uploading', { session: SENT }, 'now'],
    ['uploading', { session: WHOLE }, 'refuse'],
    ['uploading', { request: PULL, session: { kind: 'init_sent', intendedAt: 1 } }, 'ask_tiktok'],
    ['processing', { request: PULL, session: FETCHED }, 'ask_tiktok'],
    ['processing', { session: SENT }, 'refuse'],
    ['cancelled', {}, 'is_cancelled'],
  ] as const)('a job that is %s with %o: %s', (state, facts, kind) => {
    expect(planCancel({ state, request: UPLOAD, session: NONE, ...facts })).toMatchObject({ kind });
  });

  it('refuses every other job that has ended', () => {
    for (const state of ALL_PUBLISH_STATES.filter((each) => isTerminal(each) && each !== 'cancelled')) {
      expect(planCancel({ state, request: UPLOAD, session: NONE })).toMatchObject({ kind: 'refuse' });
    }
  });
});

describe('rechecks', () => {
  const published = { state: 'published', session: FETCHED, postIds: [] as string[], isPublic: true } as const;

  it('watch a public post for its id, a draft and an unconfirmed post, and nothing else', () => {
    expect(isWorthRechecking(published)).toBe(true);
    expect(isWorthRechecking({ ...published, postIds: ['1'] })).toBe(false);
    expect(isWorthRechecking({ ...published, isPublic: false })).toBe(false);
    expect(isWorthRechecking({ ...published, state: 'in_inbox' })).toBe(true);
    expect(isWorthRechecking({ ...published, state: 'unconfirmed' })).toBe(true);
    expect(isWorthRechecking({ ...published, state: 'unconfirmed', session: NONE })).toBe(false);
    expect(isWorthRechecking({ ...published, state: 'failed' })).toBe(false);
  });

  it('grow apart and end after three days', () => {
    const random = () => 0;
    expect(nextRecheckDelayMs(0, 0, { random })).toBe(MINUTE_MS);
    expect(nextRecheckDelayMs(0, 3, { random })).toBe(8 * MINUTE_MS);
    expect(nextRecheckDelayMs(DAY_MS, 40, { random })).toBe(360 * MINUTE_MS);
    expect(nextRecheckDelayMs(3 * DAY_MS, 40, { random })).toBeUndefined();
  });
});
