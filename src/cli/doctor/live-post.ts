import type { ClientParts } from '../../app/open-client.ts';
import { PublishError, toPublishError } from '../../core/publish-error.ts';
import { type PublishJob, toFailure } from '../../core/publish-job.ts';
import { isTerminal, type PublishState } from '../../core/publish-state.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { LIVE_VIDEO } from '../../media/shipped-videos.ts';
import { affirms } from '../ask.ts';
import type { CommandContext } from '../cli-io.ts';
import { EXIT_CODES, type ExitCode, exitCodeOfJob } from '../exit-codes.ts';
import { interruptible } from '../interrupt.ts';
import { watchJob } from '../watch-job.ts';
import { creatorStep, type LiveStep, liveSteps, troubleStep } from './live-steps.ts';
import { missingWorkers } from './queue-findings.ts';

/** Longest time for the whole post; TikTok takes about a minute (ms). */
const PATIENCE_MS = 10 * MINUTE_MS;

/** What came of a live post. */
export interface LiveResult {
  readonly account: string;
  /** Null: nothing was posted. */
  readonly jobId: string | null;
  readonly state: PublishState | 'not_posted';
  readonly steps: readonly LiveStep[];
  /** What to do now, human-readable. */
  readonly next: string;
  readonly exitCode: ExitCode;
}

export interface LiveOptions {
  readonly account: string;
  /** Post without asking. */
  readonly yes: boolean;
  readonly onStep: (step: LiveStep) => void;
}

/** Posts a video of 1 second that only the account's owner sees, through the running workers as every publish. */
export async function postLive(
  { account: named, yes, onStep }: LiveOptions,
  client: ClientParts,
  { io, output }: CommandContext,
): Promise<LiveResult> {
  const account = await client.vault.resolve(named);
  const steps: LiveStep[] = [];
  const add = (step: LiveStep) => {
    steps.push(step);
    onStep(step);
  };
  const notPosted = (next: string, exitCode: ExitCode): LiveResult => ({
    ...{ account, jobId: null, state: 'not_posted', steps, next: `Nothing was posted. ${next}`.trim(), exitCode },
  });
  const missing = await missingWorkers(client.queues);
  if (missing !== undefined)
    return notPosted(
      `${missing} Start them with \`tiktok-publisher start\`, then repeat this.`,
      EXIT_CODES.unavailable,
    );
  return await interruptible(async (signal) => {
    try {
      add(creatorStep(await client.publisher.creator(account)));
    } catch (thrown) {
      add(troubleStep('creator_info', toFailure(toPublishError(thrown))));
      return notPosted('', EXIT_CODES.publishFailed);
    }
    if (!yes) {
      output.note(whatFollows(account, client));
      if (!(await affirms('Post it?', io, signal))) return notPosted('', EXIT_CODES.success);
    }
    const { id } = await client.publisher.enqueue({
      ...{ account, mode: 'direct', media: { type: 'file', path: LIVE_VIDEO }, onDuplicate: 'allow' },
      post: { title: 'Test of tiktok-publisher. It can be deleted.', privacyLevel: 'SELF_ONLY' },
    });
    const job = await follow(id, client, { signal, add });
    return { account, jobId: id, state: job.state, steps, next: nextText(job), exitCode: exitCodeOfJob(job) };
  });
}

function whatFollows(account: string, { app }: ClientParts): string {
  const { apiBaseUrl } = app.config.tiktok;
  return `\nThis posts a video of 1 second to "${account}" at ${apiBaseUrl}.\nOnly the owner of the account sees it (SELF_ONLY).`;
}

/** Reports each step until the outcome. A post that has to wait for long is cancelled: nobody expects it tomorrow. */
async function follow(
  id: string,
  { publisher }: ClientParts,
  { signal, add }: { readonly signal: AbortSignal; readonly add: (step: LiveStep) => void },
): Promise<PublishJob> {
  const deadlineAt = Date.now() + PATIENCE_MS;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  let shownCount = 0;
  const show = (job: PublishJob): PublishJob => {
    const steps = liveSteps(job);
    for (const step of steps.slice(shownCount)) add(step);
    shownCount = steps.length;
    return job;
  };
  try {
    for await (const job of watchJob(publisher, id, { signal: patience })) {
      show(job);
      if (isTerminal(job.state)) return job;
      if (waitsBeyond(job, deadlineAt)) break;
    }
  } catch (error) {
    if (!patience.aborted) throw error;
  }
  try {
    return show(await publisher.cancel(id));
  } catch (error) {
    // TikTok may have it already: then only its status tells.
    if (!(error instanceof PublishError) || error.code !== 'JOB_NOT_CANCELLABLE') throw error;
    const job = await publisher.get(id);
    if (job === undefined) throw error;
    return show(job);
  }
}

/** Whether a person has to do something first, or TikTok's limit is too far away. */
function waitsBeyond({ waitingFor, waitingUntil }: PublishJob, deadlineAt: number): boolean {
  if (waitingFor === 'account_paused' || waitingFor === 'reauthorization') return true;
  return waitingUntil !== null && Date.parse(waitingUntil) > deadlineAt;
}

function nextText(job: PublishJob): string {
  switch (job.state) {
    case 'published':
    case 'in_inbox':
      return DELETE_TEXT;
    case 'failed':
    case 'cancelled':
      return `Nothing was posted. To see all of it: tiktok-publisher status ${job.id}`;
    default:
      return `The outcome is not known yet. To follow it: tiktok-publisher watch ${job.id}\nIf it was posted: ${DELETE_TEXT}`;
  }
}

/** The API has no call that deletes a post. */
const DELETE_TEXT =
  'To delete the post, open the TikTok app with this account: Profile, the tab with the lock, the video, "…", Delete. TikTok\'s API cannot delete posts.';
