import type { App } from '../../app/open-app.ts';
import { describeRestore, ownNotice } from '../../ledger/restore-notice.ts';
import { versionFileOf } from '../../ledger/version-file.ts';
import type { FoundVersion, LedgerVersionStore } from '../../ledger/version-store.ts';
import { type RestoredJobs, settleRestoredJobs } from '../../workers/runtime/settle-restored-jobs.ts';
import type { CommandContext } from '../cli-io.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { withClient } from '../with-client.ts';

export interface AcceptOptions {
  readonly yes?: boolean;
  readonly keepJobs?: boolean;
  readonly restored?: boolean;
}

/** `ledger accept`: lets workers go on with a ledger that was set back to an older state. */
export async function acceptLedger(options: AcceptOptions, { io, output }: CommandContext): Promise<ExitCode> {
  const { yes = false, keepJobs = false, restored = false } = options;
  return await withClient({ io, output }, async (client) => {
    const { versions, app } = client;
    const found = await withOwnNotice(await versions.read(), versions, app);
    const wentBack = found.notices.length > 0;
    if (!wentBack && !restored) {
      output.answerProse({ wentBack, accepted: false }, NOT_BACK);
      return EXIT_CODES.success;
    }
    const cameAfter = await versions.enqueuedSince(found);
    const how = { restoredAfter: restoredAfter(found), cameAfter, apply: yes && !keepJobs };
    const jobs = await settleRestoredJobs(how, { ...client, ...app });
    // Last, so that workers go on only when every job is settled.
    if (yes) await versions.accept(found);
    const reasons = found.notices.map(describeRestore);
    output.answerProse({ wentBack, reasons, accepted: yes, keepJobs, jobs }, text(reasons, jobs, { yes, keepJobs }));
  });
}

const NOT_BACK =
  'The workers have not detected an older ledger, so there is nothing to accept. If you did restore a backup, add --restored before you start workers.';

/** What this machine saw last counts, too, where no worker has looked yet. */
async function withOwnNotice(found: FoundVersion, versions: LedgerVersionStore, app: App): Promise<FoundVersion> {
  const own = ownNotice(await versionFileOf(app)?.read(), found);
  if (own === undefined) return found;
  await versions.addNotice(own.seen, own.found);
  return await versions.read();
}

/** The backup is older than every newer version that workers saw. Without any, each job may be of the backup. */
function restoredAfter({ notices }: FoundVersion): number {
  return notices.length === 0 ? Date.now() : Math.max(...notices.map(({ seen }) => seen.at));
}

function text(
  reasons: readonly string[],
  { ask, unconfirmed, keep, operations }: RestoredJobs,
  { yes, keepJobs }: { readonly yes: boolean; readonly keepJobs: boolean },
): string {
  const counts = keepJobs
    ? [`Open jobs that stay unchanged (all): ${ask.length + unconfirmed.length + keep.length}.`]
    : [
        `Jobs that may have been published since and will end unconfirmed: ${unconfirmed.length}.`,
        `Jobs with a publish_id, whose status will be checked at TikTok (nothing is sent again): ${ask.length}.`,
        `Jobs scheduled for later or newer than the backup, which stay unchanged: ${keep.length}.`,
        ...(operations.length === 0 ? [] : [`Operations on many jobs that will end: ${operations.length}.`]),
      ];
  const next = yes
    ? [
        'Accepted. Workers take jobs again within seconds.',
        ...(keepJobs
          ? []
          : ['To list the jobs that you must check on TikTok: tiktok-publisher list --state unconfirmed']),
      ]
    : [
        'Nothing was changed. To apply this, add --yes. Add --keep-jobs if nothing was published since the backup, or if this is a different Redis.',
      ];
  return [...reasons, ...counts, ...next].join('\n');
}
