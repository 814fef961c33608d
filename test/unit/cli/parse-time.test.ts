import { describe, expect, it } from 'vitest';
import { localTimeText, parseTime } from '../../../src/cli/parse-time.ts';

const NOW = new Date(2026, 10, 30, 15, 30).getTime();
const local = (...parts: [number, number, number, number, number]) => new Date(...parts).toISOString();

describe('a time that a person types', () => {
  it.each([
    ['+90min', NOW + 90 * 60_000],
    ['+2h', NOW + 2 * 3_600_000],
    ['+1d 2h', NOW + 26 * 3_600_000],
    ['+1h30m', NOW + 90 * 60_000],
  ])('%s counts from now', (text, at) => {
    expect(parseTime(text, NOW)).toBe(new Date(at).toISOString());
  });

  it.each([
    ['today 18:00', local(2026, 10, 30, 18, 0)],
    ['tomorrow 9:05', local(2026, 11, 1, 9, 5)],
    ['Tomorrow 10:00', local(2026, 11, 1, 10, 0)],
    ['2026-12-24 20:15', local(2026, 11, 24, 20, 15)],
    ['2026-12-24T20:15', local(2026, 11, 24, 20, 15)],
  ])('%s is on the clock of this machine', (text, iso) => {
    expect(parseTime(text, NOW)).toBe(iso);
  });

  it.each([
    'tomorrow',
    '2026-02-30 10:00',
    'tomorrow 25:00',
    '+2',
    '+999999999999d',
    '10:00',
    '2026-12-01T10:00:00+02:00',
    '',
  ])('%j stays as it is, for the schema to judge', (text) => expect(parseTime(text, NOW)).toBe(text));

  it('is shown with its time zone', () => {
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    const text = localTimeText(local(2026, 11, 1, 10, 0));
    expect(text.startsWith(`2026-12-01 10:00 ${timeZone}`)).toBe(true);
  });
});
