import { QUEUE_NAMES, RECHECK_JOB_NAME } from './queue-names.ts';

const RECHECK_SUFFIX = '-recheck';

/**
 * The publish job's id for an entry of `tiktok-publish`.
 *
 * Entries of ours carry it as their own id. A foreign client may let BullMQ number its entries; such a number starts
 * again when the queue is wiped and can't be an id in another queue, so the time of the entry goes into ours.
 */
export function publishIdOfEntry(entry: { id?: string | undefined; timestamp: number }): string {
  const id = entry.id ?? '';
  return isNumbered(entry) ? `bull-${id}-${entry.timestamp.toString(36)}` : id;
}

/** Longest id of a job, in UTF-16 units. */
export const MAX_JOB_ID_LENGTH = 255;

/** What {@link isPlainJobId} asks for, in words. */
export const PLAIN_JOB_ID = `1 to ${MAX_JOB_ID_LENGTH} characters without white space, control characters, colons, quotes, backslashes, <, > and braces, and no reserved id (see docs/library.md)`;

/**
 * What BullMQ names keys of a queue after: an entry of such an id would take the place of one. A test compares them with
 * BullMQ's.
 */
export const QUEUE_KEY_NAMES: readonly string[] = [
  ...['active', 'wait', 'waiting-children', 'paused', 'id', 'delayed', 'prioritized', 'stalled-check', 'completed'],
  ...['failed', 'stalled', 'repeat', 'limiter', 'meta', 'events', 'pc', 'marker', 'de'],
];

/**
 * Whether a plain client may give its job this id. It becomes part of Redis keys, of links and of lines in terminals, and
 * must be none that we or BullMQ make ourselves; BullMQ also refuses colons.
 */
export function isPlainJobId(id: string): boolean {
  if (id.length > MAX_JOB_ID_LENGTH || !/^[^\s\p{C}:"'`\\<>{}]+$/u.test(id)) return false;
  const isReserved = /^(\.{1,2}|bull-\d.*)$/.test(id) || id.endsWith(RECHECK_SUFFIX);
  return !isReserved && !QUEUE_KEY_NAMES.includes(id);
}

/** Whether BullMQ numbered an entry because it was added without an id. */
export function isNumbered({ id = '' }: { id?: string | undefined }): boolean {
  return /^\d+$/.test(id);
}

/** The number of the entry that a publish job came by; undefined if it came under its own id. */
export function entryNumberOf(publishJobId: string): string | undefined {
  return /^bull-(\d+)-/.exec(publishJobId)?.[1];
}

/** Id of the entry in `tiktok-status` that rechecks a finished job. */
export function recheckEntryId(publishJobId: string): string {
  return `${publishJobId}${RECHECK_SUFFIX}`;
}

/** Whether an entry of `tiktok-status` rechecks a finished job; its id tells if Redis has lost its name. */
export function isRecheck({ name, id = '' }: { name?: string | undefined; id?: string | undefined }): boolean {
  return name === undefined ? id.endsWith(RECHECK_SUFFIX) : name === RECHECK_JOB_NAME;
}

/** The publish job that an entry of a queue is about, by the entry's id alone; for the log. */
export function publishIdOfEntryId(queue: string, entryId: string): string {
  if (queue === QUEUE_NAMES.status) return entryId.replace(/-recheck$/, '');
  // An event's id is its job's id, its revision and its number.
  return queue === QUEUE_NAMES.events ? entryId.replace(/-\d+-\d+$/, '') : entryId;
}
