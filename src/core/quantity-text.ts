import { DAY_MS, HOUR_MS, MEGABYTE_BYTES, MINUTE_MS, SECOND_MS } from './units.ts';

const KILOBYTE_BYTES = 1_000;

/** A human-readable size, in decimal units as TikTok counts: `48.0 MB`, `512 bytes`. */
export function bytesText(bytes: number): string {
  if (bytes >= MEGABYTE_BYTES) return `${(bytes / MEGABYTE_BYTES).toFixed(1)} MB`;
  if (bytes >= KILOBYTE_BYTES) return `${(bytes / KILOBYTE_BYTES).toFixed(1)} kB`;
  return `${bytes} bytes`;
}

/** How much of a size is there: `12.5 of 48.0 MB`. */
export function partOfText(partBytes: number, totalBytes: number): string {
  return `${(partBytes / MEGABYTE_BYTES).toFixed(1)} of ${(totalBytes / MEGABYTE_BYTES).toFixed(1)} MB`;
}

const DURATION_UNITS = [
  [DAY_MS, 'd'],
  [HOUR_MS, 'h'],
  [MINUTE_MS, 'min'],
] as const;

/** A human-readable duration: `3.2 s`, `4 min`, `2 h`, `5 d`. */
export function durationText(durationMs: number): string {
  for (const [unitMs, unit] of DURATION_UNITS) {
    if (durationMs >= unitMs) return `${Math.floor(durationMs / unitMs)} ${unit}`;
  }
  return `${(durationMs / SECOND_MS).toFixed(durationMs < 10 * SECOND_MS ? 1 : 0)} s`;
}

/** A duration with nothing left out: `1 h 30 min`, `2 d`, `0.5 s`. */
export function exactDurationText(durationMs: number): string {
  const parts: string[] = [];
  let leftMs = durationMs;
  for (const [unitMs, unit] of DURATION_UNITS) {
    if (leftMs >= unitMs) parts.push(`${Math.floor(leftMs / unitMs)} ${unit}`);
    leftMs %= unitMs;
  }
  if (leftMs > 0 || parts.length === 0) parts.push(`${leftMs / SECOND_MS} s`);
  return parts.join(' ');
}

/** How many of something: `1 second`, `3 seconds`. */
export function countText(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

/** An ISO time as people read it, in UTC to the second: `2026-11-22 14:03:07Z`. */
export function timeText(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}
