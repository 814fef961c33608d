import type { WaitReason } from '../core/publish-state.ts';
import type { LedgerReader } from '../ledger/ledger-reader.ts';
import type { Queues } from '../queues/queues.ts';

const ENDED_WAITS: readonly WaitReason[] = ['reauthorization', 'account_paused'];
const PAGE_SIZE = 100;

/**
 * Lets the jobs go on that waited for an account to be connected or resumed; without this they notice later.
 * @param names what requests may have called the account: its name and its open_id
 */
export async function wakeAccount(
  names: readonly string[],
  { reader, queues }: { readonly reader: LedgerReader; readonly queues: Queues },
): Promise<void> {
  for (const account of new Set(names)) {
    let cursor: string | undefined;
    do {
      const page = await reader.list({ account, state: 'queued', limit: PAGE_SIZE, cursor });
      const waiting = page.jobs.filter(({ waitingFor }) => waitingFor !== null && ENDED_WAITS.includes(waitingFor));
      for (const { id } of waiting) await wakeEntry(queues, id);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }
}

async function wakeEntry({ publish }: Queues, id: string): Promise<void> {
  const entry = await publish.getJob(id);
  // What is no longer delayed runs already.
  await entry?.promote().catch(() => undefined);
}
