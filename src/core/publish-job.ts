import type { ErrorCode } from './error-table.ts';
import type { PublishError } from './publish-error.ts';
import type { NewRequest, PublishMode } from './publish-request.ts';
import type { PublishState, WaitReason } from './publish-state.ts';

/** Why a job failed or is unconfirmed, for people and programs. */
export interface PublishFailure {
  /** Stable: match on it. */
  readonly code: ErrorCode;
  /** What happened. */
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
  /** Whether a retry without changes may help. */
  readonly retryable: boolean;
  /** TikTok's own code. */
  readonly tiktokCode?: string;
  /** TikTok's log id, for TikTok's support. */
  readonly tiktokLogId?: string;
}

/** An error as a person reads it on the job. */
export function toFailure({ code, message, row, details: { tiktokCode, tiktokLogId } }: PublishError): PublishFailure {
  return {
    code,
    message,
    advice: row.advice,
    retryable: row.retryable,
    ...(tiktokCode !== undefined && { tiktokCode }),
    ...(tiktokLogId !== undefined && { tiktokLogId }),
  };
}

/** An error as facts of the timeline. */
export function errorFacts({ code, message, details: { tiktokLogId } }: PublishError) {
  return { code, message, ...(tiktokLogId !== undefined && { tiktokLogId }) };
}

/** One thing that happened to a job. */
export interface TimelineEntry {
  /** ISO 8601. */
  readonly at: string;
  /** Past-tense fact in snake_case, such as `queued` or `init_sent`: see `TIMELINE_EVENTS`. Older ones may be others. */
  readonly event: string;
  /** More about it, depending on the event; units are in the names. */
  readonly [fact: string]: unknown;
}

/** A publish job as the library, REST and `--json` show it. Times are ISO 8601 in UTC, sizes bytes. */
export interface PublishJob {
  /** Id of the job: a UUID unless a BullMQ client chose another; at most 255 characters. */
  readonly id: string;
  /** The account's own name, also if the request named its open_id. */
  readonly account: string;
  /** Publish at once, or send a draft to the inbox. */
  readonly mode: PublishMode;
  /** Where the post stands. */
  readonly state: PublishState;
  /** What the job waits for; null if for nothing but a free worker. */
  readonly waitingFor: WaitReason | null;
  /** When it looks again (ISO 8601), to the minute, and perhaps waits on; without `waitingFor` the time of its next attempt. */
  readonly waitingUntil: string | null;
  /** When the job was accepted (ISO 8601). */
  readonly createdAt: string;
  /** When it last changed (ISO 8601). */
  readonly updatedAt: string;
  /** When it was asked to start (ISO 8601); null for at once. */
  readonly scheduledAt: string | null;
  /** When it got its outcome (ISO 8601); null before. */
  readonly endedAt: string | null;
  /** TikTok's id of the upload or pull under way; null before its init. */
  readonly publishId: string | null;
  /** Ids of the posts as exact decimal digits. TikTok tells them for public posts only, some time after publishing. */
  readonly postIds: readonly string[];
  /** Addresses of these posts, in their order; empty while TikTok has not told the ids or the creator's name. */
  readonly postUrls: readonly string[];
  /** The upload in bytes: the video's size (0 until it is known), bytes sent, and bytes that TikTok has confirmed. */
  readonly progress: { readonly totalBytes: number; readonly sentBytes: number; readonly acceptedBytes: number };
  /** Failed attempts in a row, 0 or more. Progress resets them; waiting and interruptions are none. */
  readonly attempts: number;
  /** Why the job failed or is unconfirmed; null in all other states. */
  readonly failure: PublishFailure | null;
  /** What was asked for. Its URLs are shown without user, password, query and fragment, which may be secrets. */
  readonly request: NewRequest;
  /**
   * The key that it was enqueued under, at most 255 characters. Null: none; one that holds a URL with secrets, of which
   * only a digest is stored; or a job of a version before 0.2.0.
   */
  readonly idempotencyKey: string | null;
  /** `metadata` of the request: your own JSON object, at most 2,048 bytes. */
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** What happened to the job, oldest first; of more than about 300 entries the first few and the newest 300. */
  readonly timeline: readonly TimelineEntry[];
}
