import { QUEUE_NAMES } from './queue-names.ts';

/**
 * The publish job's id for an entry of `tiktok-publish`.
 *
 * Entries of ours carry it as their own id. A foreign client may let BullMQ number its entries; such a number starts
 * again when the queue is wiped and can't be an id in another queue, so the time of the entry goes into ours.
 */
export function publishIdOfEntry(entry: { id?: string | undefined; timestamp: number }): string {
  const id = entry.id ?? '';
  return /^\d+$/.test(id) ? `bull-${id}-${entry.timestamp.toString(36)}` : id;
}

/** Id of the entry in `tiktok-status` that rechecks a finished job. */
export function recheckEntryId(publishJobId: string): string {
  return `${publishJobId}-recheck`;
}

/** The publish job that an entry of a queue is about, by the entry's id alone; for the log. */
export function publishIdOfEntryId(queue: string, entryId: string): string {
  if (queue === QUEUE_NAMES.status) return entryId.replace(/-recheck$/, '');
  // An event's id is its job's id, its revision and its number.
  return queue === QUEUE_NAMES.events ? entryId.replace(/-\d+-\d+$/, '') : entryId;
}
