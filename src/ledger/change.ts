import type { EntryScript } from '../core/job-reference.ts';
import type { OperationWay } from '../core/operation.ts';
import type { PublishError } from '../core/publish-error.ts';
import { END_EVENTS, type EndState, type PublishEventType } from '../core/publish-event.ts';
import { type PublishFailure, toFailure } from '../core/publish-job.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import type { PublishState } from '../core/publish-state.ts';
import { sha256Hex } from '../core/request-digest.ts';
import { mayHoldSecretUrl } from '../core/request-secrets.ts';
import { endedSession, type Session, withoutUploadUrl } from '../core/session.ts';
import type { TimelineFact } from '../core/timeline-events.ts';
import type { QuotaEndpoint } from '../limits/tiktok-quotas.ts';
import type { LedgerPatch, LedgerRecord } from './record.ts';

/** For a job that waits for nothing any more. */
export const NOT_WAITING: LedgerPatch = { waitingFor: undefined, waitingUntil: undefined, bookedSlot: undefined };

export interface NewJob {
  readonly id: string;
  readonly request: PublishRequest;
  /** The request as it may be stored, its secrets sealed; the request itself if it holds none. */
  readonly stored?: PublishRequest | undefined;
  readonly now: number;
  readonly idempotencyKey?: string | undefined;
  /** {@link LedgerRecord.requestDigest} */
  readonly requestDigest?: string | undefined;
}

/** What all new records have in common. */
export const NEW_RECORD = {
  revision: 1,
  fence: 0,
  session: { kind: 'none' },
  initCount: 0,
  pollCount: 0,
  totalBytes: 0,
  chunkSizeBytes: 0,
  sentBytes: 0,
  acceptedBytes: 0,
  attempts: 0,
  postIds: [],
} as const satisfies Partial<LedgerRecord>;

/** The first record of a publish job: `scheduled` if its time is to come, else `queued`. */
export function newRecord(job: NewJob): LedgerRecord {
  const { id, request, stored = request, now, idempotencyKey, requestDigest } = job;
  const scheduledAt = request.scheduledAt === undefined ? undefined : Date.parse(request.scheduledAt);
  return {
    id,
    account: request.account,
    mode: request.mode,
    request: stored,
    requestDigest,
    createdAt: now,
    updatedAt: now,
    scheduledAt,
    ...(idempotencyKey !== undefined && {
      idempotencyDigest: sha256Hex(idempotencyKey),
      idempotencyKey: mayHoldSecretUrl(idempotencyKey) ? undefined : idempotencyKey,
    }),
    state: scheduledAt !== undefined && scheduledAt > now ? 'scheduled' : 'queued',
    ...NEW_RECORD,
  };
}

/** Clears everything that belongs to a publish_id, for a job that starts again. A request to cancel it stays. */
export const NO_SESSION: LedgerPatch = {
  session: { kind: 'none' },
  processingSince: undefined,
  cancelAskedAt: undefined,
  gaveUpFor: undefined,
  pullBytes: undefined,
  pullProgressAt: undefined,
  pullStalledAt: undefined,
  nextPollAt: undefined,
  toldAt: undefined,
  pollCount: 0,
  sentBytes: 0,
  acceptedBytes: 0,
  acceptedCrc32: undefined,
};

export interface Change {
  readonly cause: TimelineFact;
  /** A second fact, written in the same step. */
  readonly also?: TimelineFact | undefined;
  readonly patch?: LedgerPatch;
  /** The new state; without it the state stays. */
  readonly to?: PublishState;
  /** TikTok let the post begin: it counts for the caps, and its account no longer shows why it waited. */
  readonly hasBegun?: true;
  /** Takes a call out of the account's quota in the same step. */
  readonly withinQuota?: QuotaEndpoint | undefined;
  /** The completion event that reports the change, written in the same step. */
  readonly event?: PublishEventType;
  /**
   * Only where a record went back in time and is written again as it was: the revision from which it goes on.
   * That is no step of the job, so any state may follow any other.
   */
  readonly goesOnFrom?: Pick<LedgerRecord, 'revision'>;
  /** The operation on many jobs that makes the change: only while the job is one of those that it has still to change. */
  readonly operation?: { readonly id: string; readonly way: OperationWay } | undefined;
  /** When the sweep should look at the job again (ms since the epoch); by default in a minute. */
  readonly dueAt?: number;
}

/** A record that was changed, and the jobs that have to be woken if it left its lane. */
export interface Committed {
  readonly record: LedgerRecord;
  readonly jobsToWake: readonly string[];
  /** Whether the entry was added that the job is to have in a queue. */
  readonly isEntered: boolean;
}

/** How a job's entry is added to a queue in the same step as its record is written. */
export interface EntryToAdd {
  readonly script: EntryScript;
  readonly delayMs: number;
}

/** A record that was made, unless its id or idempotency key was taken. */
export interface Created {
  readonly record: LedgerRecord;
  readonly created: boolean;
  /** Of the job that has the id or the idempotency key. */
  readonly id: string;
  /** What the new job waits for, so that its entry sleeps until it is woken. */
  readonly wait: Pick<LedgerRecord, 'waitingFor' | 'waitingUntil'> | undefined;
  /** Whether its queue entry was added in the same step. */
  readonly isEntered: boolean;
}

/** For a job that TikTok may have in full: from `now` on its status is polled. */
export function nowProcessing(session: Session, now: number, nextPollAt: number): LedgerPatch {
  return { ...NOT_WAITING, session: withoutUploadUrl(session), processingSince: now, nextPollAt, pollCount: 0 };
}

/** What is known of a video, of no use once TikTok has it; a failed upload may be resumed. It takes much of a record. */
const NO_VIDEO: LedgerPatch = {
  claimedVideo: undefined,
  examined: undefined,
  pin: undefined,
  acceptedCrc32: undefined,
};

export interface JobEnd {
  readonly to: EndState;
  readonly error?: PublishError | undefined;
  readonly postIds?: readonly string[] | undefined;
  readonly tiktokStatus?: string | undefined;
  /** Who asked for it. */
  readonly by?: string | undefined;
}

/** The change that ends a job, with its event. */
export function endChange(record: LedgerRecord, { to, error, postIds, tiktokStatus, by }: JobEnd, now: number): Change {
  const failure: PublishFailure | undefined = error === undefined ? undefined : toFailure(error);
  const session = endedSession(record.session, error?.details.publishFailed === true ? now : undefined);
  return {
    to,
    event: END_EVENTS[to],
    cause: {
      event: to,
      ...(failure !== undefined && { code: failure.code, message: failure.message }),
      ...(tiktokStatus !== undefined && { tiktokStatus }),
      ...(by !== undefined && { by }),
    },
    patch: {
      ...NOT_WAITING,
      ...((to === 'published' || to === 'in_inbox') && NO_VIDEO),
      nextPollAt: undefined,
      endedAt: now,
      failure,
      postIds: postIds ?? record.postIds,
      // A failed upload may be resumed by hand while its URL lives.
      session: to === 'failed' ? session : withoutUploadUrl(session),
    },
  };
}
