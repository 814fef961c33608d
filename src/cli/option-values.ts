import { InvalidArgumentError } from 'commander';
import { WORKER_KINDS, type WorkerKind } from '../workers/runtime/worker-kinds.ts';
import { parseDuration } from './parse-time.ts';

/** What the argument `<id>` of a command about a job may be. */
export const JOB_ID = 'id or idempotency key of the job';

/** Reads a whole number within bounds. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
  };
}

/** Reads a duration, such as `90m` or `1h30m`, in ms. */
export function duration(text: string): number {
  const lengthMs = parseDuration(text);
  if (lengthMs !== undefined) return lengthMs;
  throw new InvalidArgumentError('Expected a duration such as 30m, 12h or 7d.');
}

/** The same, which may be negative. */
export function signedDuration(text: string): number {
  return text.startsWith('-') ? -duration(text.slice(1)) : duration(text.startsWith('+') ? text.slice(1) : text);
}

/** Reads names of workers, separated by commas. */
export function parseWorkerKinds(text: string): WorkerKind[] {
  return text.split(',').map((name) => {
    const kind = WORKER_KINDS.find((known) => known === name.trim());
    if (kind === undefined) throw new InvalidArgumentError(`Expected one or more of ${WORKER_KINDS.join(', ')}.`);
    return kind;
  });
}

/** Reads `key=value`, which may be repeated. */
export function parseMetadata(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const middle = text.indexOf('=');
  if (middle < 1) throw new InvalidArgumentError('Expected key=value.');
  return { ...before, [text.slice(0, middle)]: text.slice(middle + 1) };
}

/** Reads a JSON object. */
export function parseJsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below, together with JSON that is no object.
  }
  throw new InvalidArgumentError('Expected a JSON object, such as \'{"campaign": "spring"}\'.');
}
