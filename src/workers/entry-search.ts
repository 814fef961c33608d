import { toPublishError } from '../core/publish-error.ts';
import { SWEEP_NEW_AFTER_MS } from '../ledger/ledger.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import type { WorkerDeps } from './deps.ts';
import { ensureEntry } from './ensure-entry.ts';

/** Jobs looked at before the search asks itself whether to go on: some tenths of a second of Redis's time. */
const PAGE = 1_000;
/** Pages in one pass, so that the rest of the sweep gets its turn. */
const MAX_PAGES = 20;
/** Jobs looked at at once. */
const BATCH = 100;

type SearchDeps = Pick<WorkerDeps, 'ledger' | 'queues' | 'clock' | 'log'>;

/** Finds jobs whose entries Redis has lost. */
export interface EntrySearch {
  restoreLost(deps: SearchDeps): Promise<void>;
}

/**
 * A job that stands still, such as one that waits for its turn, is rarely looked at. When BullMQ's keys, or some of them,
 * are deleted or evicted, all that stand still are without an entry at once. That shows in the number of entries: as long
 * as there are fewer than there should be, this goes through the jobs that have not begun, a page in each pass, and on at
 * once where it finds some. There are too few for a moment, too, whenever somebody enqueues.
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
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const ids = await deps.ledger.notBegun(offset, PAGE);
        offset = ids.length < PAGE ? 0 : offset + PAGE;
        if ((await restoreThoseLost(ids, deps)) === 0 || offset === 0) return;
      }
    },
  };
}

/** @returns how many had lost their entry */
async function restoreThoseLost(ids: readonly string[], deps: SearchDeps): Promise<number> {
  let count = 0;
  for (let start = 0; start < ids.length; start += BATCH) {
    const restored = await Promise.all(ids.slice(start, start + BATCH).map((id) => restoreIfLost(id, deps)));
    count += restored.filter(Boolean).length;
  }
  return count;
}

/** Whoever enqueues it may still take it back, and adds the entry when it counts as accepted. */
async function isBeingEnqueued({ revision, createdAt }: LedgerRecord, { ledger }: SearchDeps): Promise<boolean> {
  return revision === 1 && Math.abs((await ledger.serverTime()) - createdAt) < SWEEP_NEW_AFTER_MS;
}

async function restoreIfLost(id: string, deps: SearchDeps): Promise<boolean> {
  try {
    if (await deps.queues.isPending('publish', id)) return false;
    const record = await deps.ledger.read(id);
    // It may have gone on meanwhile.
    if (record?.state !== 'scheduled' && record?.state !== 'queued') return false;
    if (await isBeingEnqueued(record, deps)) return false;
    await ensureEntry(record, deps);
    return true;
  } catch (error) {
    // Such as the record of a newer version, which holds nobody else up.
    deps.log.warn({ err: toPublishError(error), publishJobId: id }, 'queue entry could not be looked for');
    return false;
  }
}
