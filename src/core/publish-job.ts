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
  /** Past-tense fact in snake_case, such as `queued` or `init_sent`: see `TIMELINE_EVENTS`. Older ones may be others. */
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
  /** When it looks again, to the minute, and perhaps waits on; without `waitingFor` the time of its next attempt. */
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
