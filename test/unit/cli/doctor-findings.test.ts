import { describe, expect, it } from 'vitest';
import { nameList } from '../../../src/cli/doctor/finding.ts';
import { serverFindings } from '../../../src/cli/doctor/redis-findings.ts';
import type { ServerFacts } from '../../../src/redis/server-facts.ts';

const good: ServerFacts = {
  version: '7.0.15',
  maxmemoryPolicy: 'noeviction',
  maxmemoryBytes: 0,
  usedMemoryBytes: 1_000_000,
  appendsOnly: true,
  savePoints: '3600 1',
  lastWriteFailed: false,
};

describe('what the doctor says of a Redis server', () => {
  it('is nothing when all is well', () => {
    expect(serverFindings(good)).toEqual([]);
    expect(serverFindings({ ...good, version: '6.2.0', maxmemoryBytes: 2_000_000 })).toEqual([]);
  });

  it.each([
    ['an old version', { version: '6.0.16' }, 'problem', '6.0.16 is older'],
    ['a policy that evicts', { maxmemoryPolicy: 'allkeys-lru' }, 'problem', 'allkeys-lru'],
    ['memory that is nearly full', { maxmemoryBytes: 1_050_000 }, 'problem', 'nearly full'],
    ['a write that failed', { lastWriteFailed: true }, 'problem', 'failed'],
    ['nothing kept on disk', { appendsOnly: false, savePoints: '' }, 'problem', 'keeps nothing on disk'],
    ['snapshots only', { appendsOnly: false }, 'advice', 'snapshots only'],
    ['a server that does not tell', { appendsOnly: false, savePoints: undefined }, 'advice', 'does not tell'],
  ])('names %s, and how to mend it', (_, change, level, words) => {
    const findings = serverFindings({ ...good, ...change });
    expect(findings).toEqual([{ level, message: expect.stringContaining(words), fix: expect.stringMatching(/\w/) }]);
  });
});

describe('a list of names', () => {
  it('ends after ten with how many there are beyond', () => {
    expect(nameList(['a', 'b'])).toBe('"a", "b"');
    const many = nameList(Array.from({ length: 12 }, (_, index) => `n${index}`));
    expect(many).toMatch(/"n9" and 2 more$/);
  });
});
