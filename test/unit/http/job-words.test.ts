import { describe, expect, it } from 'vitest';
import { timelineWords } from '../../../src/http/job-words.ts';

describe('timelineWords', () => {
  it('says what happened and what goes with it in words', () => {
    const entry = { at: '2026-11-22T14:03:07.123Z', event: 'attempt_failed', retryAt: 'soon', attempt: 2 };
    expect(timelineWords(entry)).toEqual({
      time: '2026-11-22 14:03:07.123Z',
      what: 'attempt failed',
      facts: ['retry at: soon', 'attempt: 2'],
    });
  });
});
