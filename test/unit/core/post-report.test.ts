import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toPostReport, wokenBy } from '../../../src/core/post-report.ts';
import { ALL_PUBLISH_STATES } from '../../../src/core/publish-state.ts';

const job = {
  session: { kind: 'upload', publishId: 'v_pub_file~v2-1.1' } as const,
  postIds: [],
  isPublic: true,
};

describe('toPostReport', () => {
  it.each([
    ['post.publish.failed', 'failed'],
    ['post.publish.complete', 'complete'],
    ['post.publish.inbox_delivered', 'inbox_delivered'],
    ['post.publish.publicly_available', 'publicly_available'],
    ['post.publish.publicaly_available', 'publicly_available'],
    ['post.publish.no_longer_publicaly_available', 'no_longer_publicly_available'],
    ['post.publish.no_longer_publicly_available', 'no_longer_publicly_available'],
  ])('reads %s', (event, report) => {
    expect(toPostReport(event)).toBe(report);
  });

  it('knows nothing of events about anything else', () => {
    expect(['authorization.removed', 'video.publish.completed', '', 'toString'].map(toPostReport)).toEqual(
      Array(4).fill(undefined),
    );
  });
});

describe('wokenBy', () => {
  it('wakes the poll of a job whose outcome is awaited, whatever was reported', () => {
    expect(wokenBy('complete', { ...job, state: 'processing' })).toBe('poll');
    expect(wokenBy('failed', { ...job, state: 'processing' })).toBe('poll');
    expect(wokenBy('no_longer_publicly_available', { ...job, state: 'processing' })).toBe('poll');
  });

  it('wakes the recheck of a job that the report may have news of, and of no other', () => {
    expect(wokenBy('complete', { ...job, state: 'unconfirmed' })).toBe('recheck');
    expect(wokenBy('complete', { ...job, state: 'in_inbox' })).toBe('recheck');
    expect(wokenBy('inbox_delivered', { ...job, state: 'in_inbox' })).toBeUndefined();
    expect(wokenBy('publicly_available', { ...job, state: 'published' })).toBe('recheck');
    expect(wokenBy('publicly_available', { ...job, state: 'published', postIds: ['7'] })).toBeUndefined();
    expect(wokenBy('publicly_available', { ...job, state: 'published', isPublic: false })).toBeUndefined();
    expect(wokenBy('complete', { ...job, state: 'published' })).toBeUndefined();
  });

  it('leaves alone what is not at TikTok, under way or over', () => {
    const reports = ['failed', 'complete', 'inbox_delivered', 'publicly_available'] as const;
    const states = ALL_PUBLISH_STATES.filter(
      (state) => !['processing', 'unconfirmed', 'in_inbox', 'published'].includes(state),
    );
    fc.assert(
      fc.property(fc.constantFrom(...reports), fc.constantFrom(...states), (report, state) => {
        expect(wokenBy(report, { ...job, state })).toBeUndefined();
      }),
    );
  });
});
