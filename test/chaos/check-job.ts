import type { PublishEvent } from '../../src/core/publish-event.ts';
import type { PublishJob } from '../../src/core/publish-job.ts';
import type { JournalEntry, PublishView } from '../../src/simulator/index.ts';
import type { PlannedJob } from './round-plan.ts';

/** Everything that is known of one job once it has its outcome: TikTok's side first, ours beside it. */
export interface Evidence {
  readonly plan: PlannedJob;
  /** SHA-256 of the file, if there is one. */
  readonly sha256: string | undefined;
  /** What the account, which no other job uses, has begun at TikTok. */
  readonly publishes: readonly PublishView[];
  /** The account's requests. */
  readonly requests: readonly JournalEntry[];
  /** As the ledger has it; undefined once it was forgotten. */
  readonly job: PublishJob | undefined;
  readonly events: readonly PublishEvent[];
  /**
   * How often a process that had worked on the job, or Redis, was interrupted; more than once for what can throw records
   * back.
   */
  readonly interruptions: number;
  /** Pieces sent by a process after another one had come to own the job. */
  readonly overtakenPieces: number;
  /** Redis has more than one server: while an old master believes that it is the master, it has an owner of its own. */
  readonly mayHaveTwoOwners: boolean;
  /** A busy machine may keep the answer to a chunk back for so long that its sender gives up. */
  readonly mayTimeOut?: boolean;
  /** TikTok told no outcome any more: it had forgotten the publish_id. */
  readonly isForgottenAtTikTok?: boolean;
}

/** What buffers may hold of a chunk when its sender is frozen or killed: nobody can call that back. */
const SOCKET_BUFFER_BYTES = 8 * 1_048_576;

/** What must never happen, counted over all jobs. */
export type FindingKind = 'duplicate' | 'forgotten' | 'stuck' | 'loss' | 'wrong_state' | 'bytes' | 'rule' | 'process';
export interface Finding {
  readonly kind: FindingKind;
  readonly text: string;
}

/** Compares a job with what happened at TikTok. @returns what is wrong; nothing if all is well */
export function checkJob(evidence: Evidence): Finding[] {
  const { job } = evidence;
  if (job === undefined) {
    const forgotten = { kind: 'forgotten', text: 'accepted, and now nobody knows of it' } as const;
    return [...checkPosts(evidence), forgotten];
  }
  return [
    ...checkPosts(evidence),
    ...checkBytes(evidence),
    ...checkState(evidence, job),
    ...checkEvents(evidence, job),
  ];
}

function checkPosts({ publishes, requests, plan }: Evidence): Finding[] {
  const findings: Finding[] = [];
  const standing = publishes.filter(isStanding);
  if (standing.length > 1) {
    findings.push({ kind: 'duplicate', text: `${standing.length} posts or drafts: ${ids(standing)}` });
  }
  if (plan.source === 'file') return findings;
  const asked = requests.filter(({ endpoint, code }) => endpoint.endsWith('_init') && !isRefusal(code));
  const failed = publishes.filter(({ status }) => status === 'FAILED');
  // After a FAILED for a passing reason a new init is right; each of them needs one.
  if (asked.length > 1 + failed.length) {
    findings.push({ kind: 'duplicate', text: `${asked.length} pull inits, of which ${failed.length} failed` });
  }
  return findings;
}

/** TikTok has the video, and will or does show it. */
export function isStanding({ status, completeUploads, source }: PublishView): boolean {
  if (status === 'FAILED') return false;
  return source === 'PULL_FROM_URL' || completeUploads > 0;
}

const REFUSALS =
  /^(access_token_invalid|rate_limit_exceeded|spam_risk_.*|reached_active_user_cap|unaudited_client_.*)$/;

/** Codes with which the simulator certainly began nothing. */
function isRefusal(code: string | undefined): boolean {
  return code !== undefined && REFUSALS.test(code);
}

function checkBytes(evidence: Evidence): Finding[] {
  const { overtakenPieces, mayHaveTwoOwners, publishes, requests, sha256, interruptions, job } = evidence;
  const findings: Finding[] = [];
  const puts = requests.filter(({ endpoint }) => endpoint === 'upload');
  for (const { chunk, seq } of puts) {
    if (chunk?.accepted && chunk.outOfOrder)
      findings.push({ kind: 'bytes', text: `accepted PUT ${seq} is out of order` });
    const isSendingOn = (chunk?.bytesSinceOvertaken ?? 0) > SOCKET_BUFFER_BYTES;
    if (isSendingOn && !mayHaveTwoOwners)
      findings.push({ kind: 'bytes', text: `PUT ${seq} was sent on beside a newer one` });
  }
  // A freeze between the proof of ownership and the send lets that one piece through; nobody can check later than that.
  if (overtakenPieces > interruptions && !mayHaveTwoOwners) {
    findings.push({
      kind: 'bytes',
      text: `${overtakenPieces} pieces were sent by a process that no longer owned the job`,
    });
  }
  for (const publish of publishes) {
    // A pull has a digest only where the simulator really downloads.
    const isWhole = publish.completeUploads > 0 || (publish.source === 'PULL_FROM_URL' && publish.sha256 !== undefined);
    if (isWhole && publish.sha256 !== sha256) {
      findings.push({ kind: 'bytes', text: `${publish.publishId} holds other bytes than the file` });
    }
  }
  // Each PUT is one chunk, so this bounds what is sent again to one chunk per interruption.
  const wasted = puts.filter(({ chunk }) => chunk?.accepted === false && chunk.receivedBytes > 0).length;
  const faults = puts.filter(({ fault }) => fault !== undefined && fault !== 'fail_processing').length;
  // A cancel breaks the chunk off that is under way.
  const cancels = job?.state === 'cancelled' ? 1 : 0;
  const timeouts = evidence.mayTimeOut === true ? puts.filter(({ httpStatus }) => httpStatus === 'aborted').length : 0;
  if (wasted > interruptions + faults + cancels + timeouts) {
    const text = `${wasted} chunks sent in vain, for ${interruptions} interruptions and ${faults} faults`;
    findings.push({ kind: 'bytes', text });
  }
  return findings;
}

/** Bytes that were sent beyond those newly accepted. */
export function resentBytes(publishes: readonly PublishView[]): number {
  return publishes
    .filter(({ source }) => source === 'FILE_UPLOAD')
    .reduce((sum, publish) => sum + publish.resentBytes, 0);
}

function checkState(evidence: Evidence, job: PublishJob): Finding[] {
  const { plan, publishes, interruptions, requests } = evidence;
  const { state } = job;
  const wrong = (text: string): Finding => ({ kind: 'wrong_state', text: `${state}: ${text}` });
  const standing = publishes.filter(isStanding);
  const isPosted = standing.some(({ status }) => status === 'PUBLISH_COMPLETE');
  // A draft that its creator has posted meanwhile was one.
  const isDelivered = standing.some(({ kind }) => kind === 'inbox');
  switch (state) {
    case 'published':
      if (!isPosted) return [wrong('TikTok has no such post')];
      return checkPostIds(job, standing);
    case 'in_inbox':
      return isDelivered ? [] : [wrong('TikTok has no such draft')];
    case 'failed':
      if (standing.length > 0) return [wrong(`TikTok has ${ids(standing)} (${job.failure?.code})`)];
      return plan.refusedFor === undefined ? [{ kind: 'loss', text: `failed for ${job.failure?.code}` }] : [];
    case 'cancelled':
      if (standing.length > 0) return [wrong(`TikTok has ${ids(standing)}`)];
      return plan.cancelAt === undefined ? [{ kind: 'loss', text: 'nobody cancelled it' }] : [];
    case 'unconfirmed': {
      const mayBeLost =
        interruptions > 0 || requests.some(({ endpoint, fault }) => fault && endpoint.endsWith('_init'));
      return (plan.source !== 'file' && mayBeLost) || evidence.isForgottenAtTikTok === true
        ? []
        : [wrong('nothing was in doubt')];
    }
    default:
      return [{ kind: 'stuck', text: `still ${state}` }];
  }
}

function checkPostIds({ postIds }: PublishJob, standing: readonly PublishView[]): Finding[] {
  const known = standing.flatMap(({ posts }) => posts);
  const foreign = postIds.filter((postId) => !known.includes(postId));
  return foreign.map((postId) => ({ kind: 'wrong_state', text: `post id ${postId} is not TikTok's` }));
}

const END_STATES = ['published', 'in_inbox', 'failed', 'cancelled', 'unconfirmed'];
const END_EVENTS = END_STATES.map((state) => `publish.${state}`);
const CORRECTABLE = ['publish.in_inbox', 'publish.unconfirmed'];

/** Whether a job has its outcome. */
export function isEnded({ state }: PublishJob): boolean {
  return END_STATES.includes(state);
}

/** State and event change together: one end, reported once, and perhaps put right by a late report. */
function checkEvents({ events }: Evidence, job: PublishJob): Finding[] {
  if (!isEnded(job)) return [];
  const ends = events.filter(({ type }) => END_EVENTS.includes(type)).map(({ type }) => type);
  const isTold = ends.at(-1) === `publish.${job.state}` && ends.slice(0, -1).every((end) => CORRECTABLE.includes(end));
  const text = `the events tell ${ends.join(', ') || 'no end'}, the state is ${job.state}`;
  return isTold ? [] : [{ kind: 'wrong_state', text }];
}

function ids(publishes: readonly PublishView[]): string {
  return publishes.map(({ publishId, status }) => `${publishId} ${status}`).join(', ');
}
