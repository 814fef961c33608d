import type { Job, Queue } from 'bullmq';

/** States of entries that nobody works on and that will run. */
export const WAITING_STATES: readonly string[] = ['waiting', 'prioritized', 'delayed'];

/** States of entries that nobody will ever start; `unknown` is that of one that is in no list. */
const NEVER_RUN_AGAIN: readonly string[] = ['completed', 'failed', 'unknown'];

/** Whether an entry will still run: waiting, delayed or active. */
export async function isPending(queue: Queue, id: string): Promise<boolean> {
  return !NEVER_RUN_AGAIN.includes(await queue.getJobState(id));
}

/** Lets a delayed entry run now. It may have begun to run meanwhile, which is all we want. */
export async function promote(entry: Job): Promise<void> {
  try {
    await entry.promote();
  } catch (error) {
    if (await entry.isDelayed()) throw error;
  }
}

/**
 * BullMQ ignores an add whose id exists. So a finished entry is taken away first, and so is what is left of one when
 * Redis lost a part of it: its data, or its place in the queue's lists.
 */
export async function makeRoom(queue: Queue, jobId: string): Promise<void> {
  const [state, entry] = await Promise.all([queue.getJobState(jobId), queue.getJob(jobId)]);
  if (entry === undefined || NEVER_RUN_AGAIN.includes(state)) await queue.remove(jobId);
}
