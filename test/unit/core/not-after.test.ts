import { describe, expect, it } from 'vitest';
import { mustBeginBy, overdueError } from '../../../src/core/not-after.ts';
import { ALL_PUBLISH_STATES, isTerminal } from '../../../src/core/publish-state.ts';
import type { Session } from '../../../src/core/session.ts';

const AT = Date.parse('2026-12-01T10:00:00Z');
const notAfter = new Date(AT).toISOString();
const FILE = { media: { type: 'file', path: '/v.mp4' }, notAfter } as const;
const PULL = { media: { type: 'pull', url: 'https://example.com/v.mp4' }, notAfter } as const;
const NONE: Session = { kind: 'none' };
const INIT_SENT: Session = { kind: 'init_sent', intendedAt: 1 };
const waiting = { state: 'queued', request: FILE, session: NONE, initCount: 0 } as const;

describe('a job with notAfter', () => {
  it('is overdue from that instant on, and never without notAfter', () => {
    expect(mustBeginBy(waiting)).toBe(AT);
    expect(overdueError(waiting, AT - 1)).toBeUndefined();
    expect(overdueError(waiting, AT)).toMatchObject({
      code: 'JOB_OVERDUE',
      message: expect.stringContaining(notAfter),
    });
    expect(overdueError({ ...waiting, request: { media: FILE.media } }, AT)).toBeUndefined();
  });

  it.each<[string, Session, typeof FILE | typeof PULL]>([
    ['an upload session', { kind: 'upload', publishId: 'p', urlSealed: 's' }, FILE],
    ['a whole upload', { kind: 'upload', publishId: 'p', lastChunkStartedAt: 1 }, FILE],
    ['a pull under way', { kind: 'fetch', publishId: 'p' }, PULL],
    ['a pull whose init was sent', INIT_SENT, PULL],
  ])('is not overdue with %s', (_, session, request) => {
    const job = { ...waiting, state: 'uploading', session, request } as const;
    expect(overdueError(job, AT)).toBeUndefined();
    expect(mustBeginBy(job)).toBeUndefined();
  });

  it('is not ended from outside while the init of an upload is under way, and begins no other one', () => {
    const job = { ...waiting, state: 'uploading', session: INIT_SENT, initCount: 1 } as const;
    expect(mustBeginBy(job)).toBeUndefined();
    expect(overdueError(job, AT)).toMatchObject({ code: 'JOB_OVERDUE' });
  });

  it('is not ended where an init that was lost may have published, although it may be repeated', () => {
    const request = { ...PULL, onLostInit: 'repeat' } as const;
    for (const session of [NONE, INIT_SENT]) {
      expect(overdueError({ ...waiting, session, request, initCount: 1 }, AT)).toBeUndefined();
    }
    const fellBack = { ...waiting, request, initCount: 2, fellBackAt: 1 };
    expect(overdueError(fellBack, AT)).toBeUndefined();
    expect(mustBeginBy(fellBack)).toBeUndefined();
    expect(overdueError({ ...waiting, request }, AT)).toMatchObject({ code: 'JOB_OVERDUE' });
  });

  it.each(ALL_PUBLISH_STATES.filter(isTerminal))('is not overdue once it is %s', (state) => {
    expect(overdueError({ ...waiting, state }, AT)).toBeUndefined();
  });
});
