import { performance } from 'node:perf_hooks';
import { toPublishError } from '../../core/publish-error.ts';
import { isTerminal } from '../../core/publish-state.ts';
import { redisTroubleOf } from '../../core/redis-trouble.ts';
import { SECOND_MS } from '../../core/units.ts';
import { SWEEP_NEW_AFTER_MS } from '../../ledger/create.ts';
import type { LedgerRecord } from '../../ledger/record.ts';
import type { Needs } from '../deps.ts';
import { ensureEntry } from '../ensure-entry.ts';

/** Jobs checked before the search decides whether to go on: some tenths of a second of Redis's time. */
const PAGE = 1_000;
/** Pages in one pass, so that the rest of the sweep is not delayed. */
const MAX_PAGES = 20;
/** Jobs looked at at once. */
const BATCH = 100;
/** How long after a failover a process may still be connected to both servers. */
const SEARCH_ALL_MS = 30 * SECOND_MS;

type SearchDeps = Needs<'clock' | 'ledger' | 'log' | 'queues'>;
type ReadPage = (offset: number, count: number) => Promise<string[]>;
/** Restores one job's entry. @returns whether it was lost */
type Restore = (id: string) => Promise<boolean>;

export type EntrySearch = ReturnType<typeof createEntrySearch>;

/**
 * Finds jobs whose entries Redis has lost.
 *
 * The sweep rarely checks a job that does not change, such as one that waits for its turn. The search does, in two cases.
 *
 * If BullMQ's keys are deleted or evicted, there are fewer entries than jobs that have not begun. While that is so, each
 * pass checks a page of these jobs, and the next page at once if it found lost entries. Where replicas confirm, an enqueue
 * causes that, too, for a moment.
 *
 * After a failover, a worker may have finished an entry on the new master based on data from the old one. So for a while
 * the jobs that have begun are checked too; once by a process that starts, which was connected to one server only.
 */
export function createEntrySearch() {
  const offsets = { notBegun: 0, underWay: 0 };
  let runId: string | undefined;
  let searchAllUntil = 0;

  async function goThrough(which: keyof typeof offsets, readPage: ReadPage, restore: Restore): Promise<void> {
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const ids = await readPage(offsets[which], PAGE);
      offsets[which] = ids.length < PAGE ? 0 : offsets[which] + PAGE;
      if ((await restoreThoseLost(ids, restore)) === 0 || offsets[which] === 0) return;
    }
  }

  return {
    /** @param now Redis's time (ms since the epoch) */
    async restoreLost(deps: SearchDeps, now: number): Promise<void> {
      const { ledger, queues } = deps;
      const restore: Restore = (id) => restoreIfLost(id, now, deps);
      const present = await ledger.serverRunId();
      const isNew = present !== runId;
      if (isNew && runId !== undefined) searchAllUntil = performance.now() + SEARCH_ALL_MS;
      runId = present;
      if (isNew || performance.now() < searchAllUntil) await goThrough('underWay', ledger.underWay, restore);
      if ((await ledger.countMissingEntries(queues.publish.toKey(''))) > 0)
        await goThrough('notBegun', ledger.notBegun, restore);
    },
  };
}

/** @returns how many had lost their entry */
async function restoreThoseLost(ids: readonly string[], restore: Restore): Promise<number> {
  let count = 0;
  for (let start = 0; start < ids.length; start += BATCH) {
    const restored = await Promise.all(ids.slice(start, start + BATCH).map(restore));
    count += restored.filter(Boolean).length;
  }
  return count;
}

async function restoreIfLost(id: string, now: number, deps: SearchDeps): Promise<boolean> {
  try {
    if (await deps.queues.isPending('publish', id)) return false;
    const record = await deps.ledger.read(id);
    // It may have gone on meanwhile.
    if (record === undefined || isTerminal(record.state) || isBeingEnqueued(record, now)) return false;
    return await ensureEntry(record, deps);
  } catch (error) {
    if (redisTroubleOf(error) !== undefined) throw error;
    // Such as the record of a newer version; other jobs must still be checked.
    deps.log.warn({ err: toPublishError(error), publishJobId: id }, 'search for queue entry failed');
    return false;
  }
}

/** The enqueuing process may still take it back; it adds the entry once the job is accepted. */
function isBeingEnqueued({ revision, createdAt }: LedgerRecord, now: number): boolean {
  return revision === 1 && Math.abs(now - createdAt) < SWEEP_NEW_AFTER_MS;
}
