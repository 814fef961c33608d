import { toPublishError } from '../core/publish-error.ts';
import type { WorkerDeps } from './deps.ts';
import { ensureEntry } from './ensure-entry.ts';

/** Jobs looked at in one pass: some tenths of a second of Redis's time, however many there are. */
const PAGE = 1_000;
/** Jobs looked at at once. */
const BATCH = 100;

type SearchDeps = Pick<WorkerDeps, 'ledger' | 'queues' | 'clock' | 'log'>;

/** Finds jobs whose entries Redis has lost, a page in each pass. */
export interface EntrySearch {
  restoreLost(deps: SearchDeps): Promise<void>;
}

/**
 * A job that stands still, such as one that waits for its turn, is rarely looked at. When BullMQ's keys, or some of them,
 * are deleted or evicted, all that stand still are without an entry at once. That shows in the number of entries: as long
 * as there are fewer than there should be, this goes through the jobs that have not begun.
 */
export function createEntrySearch(): EntrySearch {
  let offset = 0;
  return {
    async restoreLost(deps) {
      const [wanted, present] = await Promise.all([
        deps.ledger.countForPublishQueue(),
        deps.queues.countPublishEntries(),
      ]);
      if (present >= wanted) return;
      const ids = await deps.ledger.notBegun(offset, PAGE);
      offset = ids.length < PAGE ? 0 : offset + PAGE;
      for (let start = 0; start < ids.length; start += BATCH) {
        await Promise.all(ids.slice(start, start + BATCH).map((id) => restoreIfLost(id, deps)));
      }
    },
  };
}

async function restoreIfLost(id: string, deps: SearchDeps): Promise<void> {
  try {
    if (await deps.queues.isPending('publish', id)) return;
    const record = await deps.ledger.read(id);
    // It may have gone on meanwhile.
    if (record?.state === 'scheduled' || record?.state === 'queued') await ensureEntry(record, deps);
  } catch (error) {
    // Such as the record of a newer version, which holds nobody else up.
    deps.log.warn({ err: toPublishError(error), publishJobId: id }, 'queue entry could not be looked for');
  }
}
