import { type PublishEntry, publishEntryOf } from '../core/job-reference.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import { isLaneReason, type WaitReason } from '../core/publish-state.ts';
import type { Lanes } from './lanes.ts';

export interface WakeDeps {
  readonly ledger: {
    read(id: string): Promise<WakeableJob | undefined>;
  };
  readonly queues: {
    wakePublishEntry(id: string): Promise<boolean>;
    replacePublishEntry(entry: PublishEntry): Promise<void>;
  };
}

interface WakeableJob {
  readonly id: string;
  readonly account: string;
  readonly request: Pick<PublishRequest, 'priority'>;
  readonly waitingFor?: WaitReason | undefined;
}

/** Wakes these jobs; one whose entry is lost gets one. Should a wake-up get lost, the sweep makes up for it. */
export async function wakeJobs(ids: readonly string[], { ledger, queues }: WakeDeps): Promise<void> {
  for (const id of ids) {
    if (await queues.wakePublishEntry(id)) continue;
    const record = await ledger.read(id);
    if (record === undefined) continue;
    await queues.replacePublishEntry(publishEntryOf(record, 0));
  }
}

/** Lets an account's lane go on after it was resumed or connected again; a job that waits for a quota waits on. */
export async function wakeLane(account: string, { lanes, ...deps }: WakeDeps & { lanes: Lanes }): Promise<void> {
  const admitted = await lanes.admitted(account);
  const held: string[] = [];
  for (const id of admitted) {
    const waitingFor = (await deps.ledger.read(id))?.waitingFor;
    if (waitingFor === undefined || isLaneReason(waitingFor)) held.push(id);
  }
  await wakeJobs([...held, ...(await lanes.leave(account, ''))], deps);
}
