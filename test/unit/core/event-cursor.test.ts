import { describe, expect, it } from 'vitest';
import { isBefore, parseEventCursor } from '../../../src/core/event-cursor.ts';

describe('the cursor of an event', () => {
  it.each([
    ['0', '0-0'],
    ['0-0', '0-0'],
    ['1763830000000-2', '1763830000000-2'],
    ['007-01', '7-1'],
  ])('%j is read as %s', (after, cursor) => {
    expect(parseEventCursor(after)).toBe(cursor);
  });

  it.each(['8640000000000001-0', '1-9007199254740993', '1-1\n', ' 1-1', '１-1', null, 0, ['1-1'], {}])(
    '%j is refused',
    (after) => {
      expect(() => parseEventCursor(after)).toThrow('after: expected the cursor of an event');
    },
  );

  it.each([
    ['1-1', '1-2', true],
    ['1-9', '2-0', true],
    ['9-0', '10-0', true],
    ['1-1', '1-1', false],
    ['2-0', '1-9', false],
  ])('%s before %s: %s', (cursor, other, expected) => {
    expect(isBefore(cursor, other)).toBe(expected);
  });
});
