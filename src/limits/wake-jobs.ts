import { type PublishEntry, publishEntryOf } from '../core/job-reference.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import { isLaneReason, type WaitReason } from '../core/publish-state.ts';
import type { Caps } from './caps.ts';
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
  const isHeld = (waitingFor: WaitReason | undefined) => waitingFor === undefined || isLaneReason(waitingFor);
  const held = await admittedFor(account, isHeld, { lanes, ...deps });
  await wakeJobs([...held, ...(await lanes.leave(account, ''))], deps);
}

/** Lets the drafts of an account try again that wait for a place in its creator's inbox, of which one became free. */
export async function wakeDrafts(account: string, deps: WakeDeps & { lanes: Pick<Lanes, 'admitted'> }): Promise<void> {
  await wakeJobs(await admittedFor(account, (waitingFor) => waitingFor === 'pending_share_cap', deps), deps);
}

/** Lets a job try again that waits for a place within the app's cap; another one leaves that line. */
export async function wakeNewcomer(
  id: string,
  { caps, ...deps }: WakeDeps & { caps: Pick<Caps, 'leaveLine'> },
): Promise<void> {
  if ((await deps.ledger.read(id))?.waitingFor === 'active_user_cap') await wakeJobs([id], deps);
  else await caps.leaveLine(id);
}

async function admittedFor(
  account: string,
  isMeant: (waitingFor: WaitReason | undefined) => boolean,
  { lanes, ledger }: Pick<WakeDeps, 'ledger'> & { lanes: Pick<Lanes, 'admitted'> },
): Promise<string[]> {
  const meant: string[] = [];
  for (const id of await lanes.admitted(account)) {
    if (isMeant((await ledger.read(id))?.waitingFor)) meant.push(id);
  }
  return meant;
}
