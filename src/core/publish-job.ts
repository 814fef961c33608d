import type { ErrorCode } from './error-table.ts';
import type { PublishError } from './publish-error.ts';
import type { PublishMode } from './publish-request.ts';
import type { PublishState, WaitReason } from './publish-state.ts';

/** Why a job failed or is unconfirmed, for people and programs. */
export interface PublishFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly advice: string;
  readonly retryable: boolean;
  readonly tiktokCode?: string;
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

/** One thing that happened to a job. */
export interface TimelineEntry {
  /** ISO 8601. */
  readonly at: string;
  /** Past-tense fact in snake_case, such as `queued`, `init_sent`, `chunk_accepted`. */
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** A publish job as the library, REST and `--json` show it. Times are ISO 8601, sizes bytes. */
export interface PublishJob {
  readonly id: string;
  readonly account: string;
  readonly mode: PublishMode;
  readonly state: PublishState;
  readonly waitingFor: WaitReason | null;
  readonly waitingUntil: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly scheduledAt: string | null;
  readonly publishId: string | null;
  /** Exact decimal digits. */
  readonly postIds: readonly string[];
  readonly progress: { readonly totalBytes: number; readonly sentBytes: number; readonly acceptedBytes: number };
  /** Attempts that ended in an error worth a backoff; waiting and interruptions burn none. */
  readonly attempts: number;
  readonly failure: PublishFailure | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly timeline: readonly TimelineEntry[];
}

/** Types of completion events (CloudEvents `type`). */
export const PUBLISH_EVENT_TYPES = [
  'publish.queued',
  'publish.started',
  'publish.upload.completed',
  'publish.published',
  'publish.post_available',
  'publish.in_inbox',
  'publish.failed',
  'publish.cancelled',
  'publish.unconfirmed',
  'account.reauthorization_required',
] as const;
export type PublishEventType = (typeof PUBLISH_EVENT_TYPES)[number];

/** States in which a job ends, and the event that reports each. */
export const END_EVENTS = {
  published: 'publish.published',
  in_inbox: 'publish.in_inbox',
  failed: 'publish.failed',
  cancelled: 'publish.cancelled',
  unconfirmed: 'publish.unconfirmed',
} as const satisfies Partial<Record<PublishState, PublishEventType>>;
export type EndState = keyof typeof END_EVENTS;

/** CloudEvents `source` of all our events. */
export const EVENT_SOURCE = 'urn:tiktok-publisher';

/** A CloudEvents 1.0 event as it lies on the stream. */
export interface PublishEvent {
  readonly specversion: '1.0';
  /** Stable and unique. */
  readonly id: string;
  readonly source: string;
  readonly type: PublishEventType;
  /** The job's id, or the account's name for account events. */
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Readonly<Record<string, unknown>>;
}
