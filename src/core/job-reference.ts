import { z } from 'zod';
import type { PublishRequest } from './publish-request.ts';

/** Data of our entries in `tiktok-publish` and `tiktok-status`: which job it is. The ledger has the rest. */
export interface JobReference {
  readonly version: 1;
  readonly id: string;
  readonly account: string;
}

const referenceSchema = z.strictObject({ version: z.literal(1), id: z.string(), account: z.string() });

/** The reference to a job. */
export function referenceTo({ id, account }: Pick<JobReference, 'id' | 'account'>): JobReference {
  return { version: 1, id, account };
}

/** Whether an entry's data is a reference, so that the entry is one of ours. */
export function isReference(data: unknown): boolean {
  return referenceSchema.safeParse(data).success;
}

/** Whether an entry has no data, which is how BullMQ shows one whose hash Redis has lost. */
export function isDataLost(data: unknown): boolean {
  return typeof data === 'object' && data !== null && Object.keys(data).length === 0;
}

/** Longest data of an entry that is read (bytes of JSON); the longest valid request has about half of it. */
export const MAX_ENTRY_BYTES = 1_048_576;

const leftOutSchema = z.strictObject({ leftOutBytes: z.number() });

/** How long an entry's data is, if it is too long to be read: then this stands in its place (bytes). */
export function leftOutBytesOf(data: unknown): number | undefined {
  return leftOutSchema.safeParse(data).data?.leftOutBytes;
}

/** What is needed to put a publish job on its queue. */
export interface PublishEntry {
  readonly id: string;
  readonly account: string;
  /** BullMQ's: lower goes first, 0 before all. */
  readonly priority: number;
  readonly delayMs: number;
}

/** How a script that makes a job's record adds its entry to `tiktok-publish` in the same step. */
export interface EntryScript {
  /** Lua that defines `addEntry(id, ...)`, and finds {@link queueKey} as `key.queue`. */
  readonly lua: string;
  /** How the queue's keys begin. */
  readonly queueKey: string;
  /** What `addEntry` takes after the id; the delay (ms) comes first. */
  argumentsOf(entry: PublishEntry): readonly string[];
}

/** A job as an entry of `tiktok-publish` that runs after a delay. */
export function publishEntryOf(
  {
    id,
    account,
    request,
  }: { readonly id: string; readonly account: string; readonly request: Pick<PublishRequest, 'priority'> },
  delayMs: number,
): PublishEntry {
  return { id, account, priority: request.priority ?? 0, delayMs };
}
