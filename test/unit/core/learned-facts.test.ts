import { describe, expect, it } from 'vitest';
import {
  FACT_NAMES,
  type LearnedFacts,
  learnFrom,
  parseFact,
  parseFacts,
  reportFact,
  type Seen,
  unauditedProblem,
} from '../../../src/core/learned-facts.ts';

const NOW = Date.UTC(2026, 11, 1, 12);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function fact<Value>(value: Value, learnedAt = NOW) {
  return { value, learnedAt, jobId: 'job-1', account: 'acme' };
}

describe("what TikTok's answers teach", () => {
  it.each<[string, Seen, LearnedFacts, ReturnType<typeof learnFrom>]>([
    ['a public post', { kind: 'public_post_accepted' }, {}, { name: 'audited', value: true }],
    [
      'a public post of an app that was not audited',
      { kind: 'public_post_accepted' },
      { audited: fact(false) },
      { name: 'audited', value: true },
    ],
    ['a public post, told lately', { kind: 'public_post_accepted' }, { audited: fact(true) }, undefined],
    [
      'a public post, told hours ago',
      { kind: 'public_post_accepted' },
      { audited: fact(true, NOW - 2 * HOUR_MS) },
      { name: 'audited', value: true },
    ],
    [
      'a refusal of an app that is not audited',
      { kind: 'unaudited_refusal' },
      { audited: fact(true) },
      { name: 'audited', value: false },
    ],
    [
      "a creator's cap",
      { kind: 'daily_cap_reached', posts: 9 },
      { dailyPostCap: fact(15) },
      { name: 'dailyPostCap', value: 9 },
    ],
    ['a post within that cap', { kind: 'post_accepted', posts: 9 }, { dailyPostCap: fact(9) }, undefined],
    [
      'a post beyond that cap',
      { kind: 'post_accepted', posts: 10 },
      { dailyPostCap: fact(9) },
      { name: 'dailyPostCap', value: undefined },
    ],
    ['a video as TikTok documents it', { kind: 'video_published', durationSeconds: 600 }, {}, undefined],
    [
      'a longer video',
      { kind: 'video_published', durationSeconds: 900 },
      { longestVideoSeconds: fact(700) },
      { name: 'longestVideoSeconds', value: 900 },
    ],
    [
      'a video less long than one before',
      { kind: 'video_published', durationSeconds: 650 },
      { longestVideoSeconds: fact(700) },
      undefined,
    ],
    [
      'a refusal of a video that would have passed before',
      { kind: 'duration_refused', durationSeconds: 650 },
      { longestVideoSeconds: fact(700) },
      { name: 'longestVideoSeconds', value: undefined },
    ],
    [
      'a refusal of a longer video',
      { kind: 'duration_refused', durationSeconds: 800 },
      { longestVideoSeconds: fact(700) },
      undefined,
    ],
    [
      'an answer with a count',
      { kind: 'chunk_accepted', reportedBytes: 10, acceptedBytes: 10 },
      {},
      { name: 'uploadReport', value: 'count' },
    ],
    [
      'an answer with a last index',
      { kind: 'chunk_accepted', reportedBytes: 9, acceptedBytes: 10 },
      { uploadReport: fact('count') },
      { name: 'uploadReport', value: 'last_index' },
    ],
    ['an answer about other bytes', { kind: 'chunk_accepted', reportedBytes: 5, acceptedBytes: 10 }, {}, undefined],
  ])('%s', (_name, seen, known, change) => {
    expect(learnFrom(seen, known, NOW)).toEqual(change);
  });
});

describe('an app that TikTok has not audited', () => {
  const known = { audited: fact(false) };

  it('has its public posts refused, with the job and the time that told it', () => {
    const problem = unauditedProblem('PUBLIC_TO_EVERYONE', known);
    expect(problem).toContain('job-1');
    expect(problem).toContain('2026-12-01T12:00:00.000Z');
    expect(problem).toContain('2026-12-02T12:00:00.000Z');
    expect(unauditedProblem('FOLLOWER_OF_CREATOR', known)).toBeDefined();
  });

  it('may post to the owner alone, ask again by a retry, and post if nothing is known', () => {
    expect(unauditedProblem('SELF_ONLY', known)).toBeUndefined();
    expect(unauditedProblem('PUBLIC_TO_EVERYONE', known, NOW + 1)).toBeUndefined();
    expect(unauditedProblem('PUBLIC_TO_EVERYONE', known, NOW - 1)).toBeDefined();
    expect(unauditedProblem('PUBLIC_TO_EVERYONE', {})).toBeUndefined();
    expect(unauditedProblem('PUBLIC_TO_EVERYONE', { audited: fact(true) })).toBeUndefined();
  });
});

describe('a stored fact', () => {
  it('counts until its time is over', () => {
    const json = JSON.stringify(fact(false));
    expect(parseFact('audited', json, NOW + DAY_MS - 1)).toEqual(fact(false));
    expect(parseFact('audited', json, NOW + DAY_MS)).toBeUndefined();
    expect(parseFact('activeCreatorCap', JSON.stringify(fact(5)), NOW + 365 * DAY_MS)).toEqual(fact(5));
  });

  it('of another shape is as good as none', () => {
    expect(parseFact('audited', JSON.stringify(fact('yes')), NOW)).toBeUndefined();
    expect(parseFact('audited', null, NOW)).toBeUndefined();
    expect(parseFacts([JSON.stringify(fact(true)), null], NOW)).toEqual({ audited: fact(true) });
  });

  it.each(FACT_NAMES)('is shown with source and age: %s', (name) => {
    const report = reportFact(name, fact(name === 'audited' ? false : 7));
    expect(report).toMatchObject({ name, jobId: 'job-1', learnedAt: '2026-12-01T12:00:00.000Z' });
    expect(report.text).not.toContain('undefined');
    expect(report.account).toBe(name === 'dailyPostCap' ? 'acme' : null);
  });
});
