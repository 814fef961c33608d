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
