import { describe, expect, it } from 'vitest';
import { judgeLedger, type LedgerVersion, MAX_LOST_HEARTBEATS } from '../../../src/core/ledger-version.ts';
import { planForRestored, type RestoredSubject } from '../../../src/core/restored-job.ts';
import { HOUR_MS, MINUTE_MS } from '../../../src/core/units.ts';

const T = Date.parse('2026-11-28T12:00:00Z');
const last: LedgerVersion = { id: 'a', count: 1_000, at: T };
const found = (version: Partial<LedgerVersion> | undefined, holdsJobsSince?: number, acceptedIds: string[] = []) => ({
  version: version === undefined ? undefined : { ...last, ...version },
  holdsJobsSince,
  acceptedIds,
});

describe('a ledger held against the last version of it', () => {
  it.each([
    ['has nothing to be held against at the first look', undefined, found({ count: 1 }), 'same'],
    ['begins where there is none', undefined, found(undefined), 'new'],
    ['goes on', last, found({ count: 1_001 }), 'same'],
    ['may lack what a failover loses', last, found({ count: 1_000 - MAX_LOST_HEARTBEATS }), 'same'],
    ['went back when it lacks more', last, found({ count: 1_000 - MAX_LOST_HEARTBEATS - 1 }), 'went_back'],
    ['does not care for clocks that jump', last, found({ count: 1_001, at: T - 100 * HOUR_MS }), 'same'],
    ['is new when it is empty', last, found(undefined), 'new'],
    ['is new when all of its jobs are', last, found(undefined, T + 1), 'new'],
    ['went back when it has older jobs and no version', last, found(undefined, T - HOUR_MS), 'went_back'],
    ['may lack a version that was begun seconds ago', { ...last, count: 3 }, found(undefined, T - HOUR_MS), 'new'],
    ['is another one without older jobs', last, found({ id: 'b', count: 1 }, T + 1), 'new'],
    ['went back to one with another version', last, found({ id: 'b', count: 9_999 }, T - HOUR_MS), 'went_back'],
    ['is the one that was accepted', last, found({ id: 'b', count: 1 }, T - HOUR_MS, ['a']), 'same'],
  ] as const)('%s', (_, seen, now, verdict) => {
    expect(judgeLedger(seen, now)).toBe(verdict);
  });
});

describe('a job of a restored backup', () => {
  const job: RestoredSubject = {
    state: 'queued',
    request: { media: { type: 'file', path: '/v.mp4' } },
    createdAt: T - HOUR_MS,
    session: { kind: 'none' },
  };
  it.each([
    ['that was queued may have been published since', job, 'unconfirmed'],
    ['whose init was on its way may have been published since', { ...job, state: 'uploading' }, 'unconfirmed'],
    [
      'that has a publish_id is asked about',
      { ...job, state: 'uploading', session: { kind: 'upload', publishId: 'p' } },
      'ask',
    ],
    [
      'that TikTok works on is asked about',
      { ...job, state: 'processing', session: { kind: 'upload', publishId: 'p' } },
      'ask',
    ],
    ['that is for later stays', { ...job, state: 'scheduled', scheduledAt: T + HOUR_MS + 1 }, 'keep'],
    ['that became due since may have been published', { ...job, state: 'scheduled', scheduledAt: T }, 'unconfirmed'],
    ['that came after the restore stays', { ...job, createdAt: T + 2 * MINUTE_MS }, 'keep'],
    ['that has ended stays', { ...job, state: 'failed' }, 'keep'],
  ] as const)('%s', (_, subject, plan) => {
    expect(planForRestored(subject, { now: T + HOUR_MS, restoredAfter: T })).toBe(plan);
  });
});
