import { expect, it } from 'vitest';
import { parseJobFilter, parseJobQuery } from '../../../src/core/job-filter.ts';
import { PublishError } from '../../../src/core/publish-error.ts';

it('a filter asks for each value once, however often it is given', () => {
  const query = {
    state: 'scheduled,failed,scheduled',
    code: ['INPUT_INVALID', 'INPUT_INVALID'],
    account: ['acme', 'acme'],
  };
  const once = { state: ['scheduled', 'failed'], code: ['INPUT_INVALID'], account: ['acme'] };
  expect(parseJobQuery(query)).toMatchObject(once);
  expect(parseJobFilter(query)).toEqual(once);
});

it('a filter with more accounts than a list may have is refused by the name of its field', () => {
  const account = Array.from({ length: 1_001 }, (_, n) => `account-${n}`);
  expect(() => parseJobFilter({ account })).toThrow(PublishError);
  expect(() => parseJobFilter({ account })).toThrow(/account: expected at most 1000 accounts/);
});
