import type { LedgerRecord } from './record.ts';

/** Which start of which queue entry wants to own a record. */
export interface Run {
  /** Names the queue entry, so that a new entry counts its starts from one. */
  readonly entry: string;
  /** How often that entry has been started (BullMQ's attemptsStarted). */
  readonly start: number;
}

/** What an owner has to know besides the record, read in the same step as its claim. */
export interface Surroundings {
  /** Whether the job has its turn in its account's lane, and nothing holds the account back. */
  readonly hasTurn: boolean;
  /** Jobs of the account whose status is polled. */
  readonly polledJobs: number;
  /** Whether TikTok's reports of posts reach this app, so that polls may be rare. */
  readonly webhooksArrive: boolean;
  /** Until when the app's cap on posting accounts holds this one back (ms since the epoch). */
  readonly heldBackUntil: number | undefined;
  /** When its next status call may be made, which is booked (ms since the epoch); undefined where none was booked. */
  readonly statusCallAt: number | undefined;
}

/** Which ledger answered, and how far it is. */
export interface AnsweredVersion {
  readonly id: string | undefined;
  readonly count: number;
}

export type Claim = (
  | { readonly kind: 'claimed'; readonly record: LedgerRecord; readonly around: Surroundings }
  | { readonly kind: 'missing' }
  | { readonly kind: 'overtaken' }
) & { readonly version: AnsweredVersion };

export function decodeVersion(found: unknown): AnsweredVersion {
  const [id, count] = asArray(found);
  return { id: id == null ? undefined : String(id), count: Number(count ?? 0) };
}

export function decodeSurroundings(around: unknown, now: number): Surroundings {
  const [hasTurn, polledJobs, webhooksArrive, heldBackUntil, statusCallInMs] = asArray(around);
  return {
    hasTurn: hasTurn === 1,
    polledJobs: Number(polledJobs),
    webhooksArrive: webhooksArrive === 1,
    heldBackUntil: heldBackUntil === null ? undefined : Number(heldBackUntil),
    statusCallAt: statusCallInMs === null ? undefined : now + Number(statusCallInMs),
  };
}

/** What a script answered, as a list. */
export function asArray(answer: unknown): readonly unknown[] {
  return Array.isArray(answer) ? answer : [];
}
