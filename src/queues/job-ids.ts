import { QUEUE_NAMES, RECHECK_JOB_NAME } from './queue-names.ts';

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

/** Whether BullMQ numbered an entry because it was added without an id. */
export function isNumbered({ id = '' }: { id?: string | undefined }): boolean {
  return /^\d+$/.test(id);
}

/** The number of the entry that a publish job came by; undefined if it came under its own id. */
export function entryNumberOf(publishJobId: string): string | undefined {
  return /^bull-(\d+)-/.exec(publishJobId)?.[1];
}

const RECHECK_SUFFIX = '-recheck';

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
