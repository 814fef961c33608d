import { expect, it } from 'vitest';
import { operatorOf } from '../../../src/http/access/sign-in.ts';
import { causesOf } from '../../../src/http/console/causes.ts';

const context = { basePath: '', caller: operatorOf(undefined), pause: null };
const now = '2026-11-30T10:00:00.000Z';
const none = { failures: [], now, held: [], moreHeldCount: 0, callbacks: undefined, queues: [] };

/** Whether the page leads to a retry of all that ended with a code. */
function leadsToRetry(code: string): boolean {
  const failures = [{ code, count: 2, seenAt: undefined, hasNew: true }];
  return causesOf({ ...none, failures }, context).some(([, action]) => action.includes('Retry them'));
}

it('a retry of many is offered where it may help, and not where the same request fails again', () => {
  expect(['INPUT_MEDIA_NOT_FOUND', 'TIKTOK_USER_BANNED', 'TIKTOK_NO_OUTCOME'].map(leadsToRetry)).toEqual([
    true,
    true,
    true,
  ]);
  expect(['TIKTOK_SPAM', 'TIKTOK_PRIVACY_MISMATCH', 'JOB_OVERDUE'].map(leadsToRetry)).toEqual([false, false, false]);
});

it('one URL that answered 410 gets nothing more, and several get nothing more', () => {
  const gone = (id: string) => ({ id, endpoint: `https://${id}.example.com/`, disabledAt: now });
  const counts = { waiting: 0, active: 0, delayed: 0, failed: 0 };
  const textOf = (disabled: ReturnType<typeof gone>[]) =>
    causesOf({ ...none, callbacks: { counts, paused: [], disabled, failed: [] } }, context)[0]?.[0];
  expect(textOf([gone('a')])).toContain('answered 410 and gets nothing more.');
  expect(textOf([gone('a'), gone('b')])).toContain('answered 410 and get nothing more.');
});
