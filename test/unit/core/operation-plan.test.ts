import { describe, expect, it } from 'vitest';
import { parseOperation } from '../../../src/core/operation.ts';
import { createTotals, planOperation } from '../../../src/core/operation-plan.ts';

const NOW = Date.parse('2026-12-01T10:00:00Z');

describe('the totals of an operation', () => {
  it('have one line for all jobs whose notAfter is over, whenever that was', () => {
    const operation = parseOperation({ kind: 'retry', filter: { state: 'failed' } });
    const { add, totals } = createTotals();
    for (let second = 1; second <= 3; second += 1) {
      const notAfter = new Date(NOW - second * 1_000).toISOString();
      const request = { media: { type: 'file', path: '/v.mp4' }, notAfter } as const;
      add(planOperation({ state: 'failed', session: { kind: 'none' }, request }, operation, NOW));
    }
    expect(totals().refused).toEqual([
      { code: 'JOB_NOT_RETRYABLE', reason: expect.stringContaining('notAfter is over'), count: 3 },
    ]);
  });
});

describe('a request for an operation', () => {
  it.each([{}, { metadata: {} }, { account: [] }, { account: undefined, metadata: {} }])(
    'is refused with the filter %j, which leaves no job out',
    (filter) => {
      expect(() => parseOperation({ kind: 'cancel', filter })).toThrow(
        expect.objectContaining({
          code: 'INPUT_INVALID',
          details: expect.objectContaining({ problems: [expect.objectContaining({ path: 'filter' })] }),
        }),
      );
    },
  );
});
