import type { PublishJob } from '../core/publish-job.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/units.ts';

const UNIT_MS: Readonly<Record<string, number>> = { m: MINUTE_MS, min: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/** What people may type besides ISO 8601 with a time zone, for messages. */
export const LOCAL_TIME_FORMS =
  '"+2h", "+1h30m", "tomorrow 10:00" or "2026-12-01 10:00" in the time zone of this machine';

/**
 * Reads a time that a person typed: `+2h`, `-24h`, `today 18:00`, `tomorrow 10:00` or `2026-12-01 10:00`.
 * @param now ms since the epoch
 * @returns ISO 8601 in UTC; the text as it is where it has none of these forms, such as ISO 8601 with a time zone
 */
export function parseTime(text: string, now: number): string {
  const at = new Date(fromNow(text.trim(), now) ?? localTime(text.trim(), now) ?? Number.NaN);
  return Number.isNaN(at.getTime()) ? text : at.toISOString();
}

function fromNow(text: string, now: number): number | undefined {
  const sign = { '+': 1, '-': -1 }[text.charAt(0)];
  const lengthMs = sign === undefined ? undefined : parseDuration(text.slice(1));
  return sign === undefined || lengthMs === undefined ? undefined : now + sign * lengthMs;
}

/** Reads a duration that a person typed: `2h`, `1h30m`, `7d`; in ms. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d{1,9} {0,9}(min|m|h|d) {0,9})+$/i.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d{1,9}) {0,9}(min|m|h|d)/gi)];
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNIT_MS[unit.toLowerCase()] ?? 0), 0);
}

function localTime(text: string, now: number): number | undefined {
  const [, day = '', hours = '', minutes = ''] =
    /^(today|tomorrow|\d{4}-\d{2}-\d{2})[ T]+(\d{1,2}):(\d{2})$/i.exec(text) ?? [];
  if (day === '' || Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const [year, month, date] = dayOf(day.toLowerCase(), now);
  const at = new Date(year, month, date, Number(hours), Number(minutes));
  // 2026-02-30 is no day.
  return /^\d/.test(day) && at.getMonth() !== month ? undefined : at.getTime();
}

function dayOf(day: string, now: number): readonly [year: number, month: number, date: number] {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number);
  if (/^\d/.test(day)) return [year, month - 1, date];
  const today = new Date(now);
  return [today.getFullYear(), today.getMonth(), today.getDate() + (day === 'tomorrow' ? 1 : 0)];
}

/** An ISO time on the clock of this machine, with its time zone: `2026-12-01 10:00 Europe/Berlin (GMT+1)`. @internal */
export function localTimeText(iso: string): string {
  const at = new Date(iso);
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const offset = new Intl.DateTimeFormat('en', { timeZoneName: 'shortOffset' })
    .formatToParts(at)
    .find(({ type }) => type === 'timeZoneName')?.value;
  // Sweden writes dates as ISO 8601 does.
  const text = new Intl.DateTimeFormat('sv', { dateStyle: 'short', timeStyle: 'short' }).format(at);
  return timeZone === 'UTC' ? `${text} UTC` : `${text} ${timeZone} (${offset})`;
}

/**
 * When a scheduled job starts, on the clock of who typed it.
 * @param before what leads to the time
 */
export function whenText({ state, scheduledAt }: PublishJob, before = ', which is '): string {
  return state === 'scheduled' && scheduledAt !== null ? before + localTimeText(scheduledAt) : '';
}
