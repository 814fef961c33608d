import type { LockManager } from 'bullmq';
import { LOCK_LOST } from '../publish/run-owned.ts';

type Locks = Pick<LockManager, 'trackJob' | 'untrackJob' | 'cancelJob'>;

/**
 * Has BullMQ's lock manager tell the runs of an entry apart. BullMQ knows them by the entry's id alone: the end of a run that
 * had lost its lock also ended the renewal of the run that followed it in the same process. That one lost its lock, too, and
 * so on, for as long as runs took longer than a lock lasts. A run that is followed while it goes on is told that its lock is lost.
 * @returns ends the renewal for one run; from now on, nothing else does
 */
export function tellRunsApart(locks: Locks): (entryId: string, token: string) => void {
  const tokens = new Map<string, string>();
  const track = locks.trackJob.bind(locks);
  const untrack = locks.untrackJob.bind(locks);
  locks.trackJob = (entryId, token, ...rest) => {
    if (tokens.has(entryId)) locks.cancelJob(entryId, LOCK_LOST);
    tokens.set(entryId, token);
    return track(entryId, token, ...rest);
  };
  locks.untrackJob = () => undefined;
  return (entryId, token) => {
    if (tokens.get(entryId) !== token) return;
    tokens.delete(entryId);
    untrack(entryId);
  };
}
