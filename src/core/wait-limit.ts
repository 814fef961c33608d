import type { ErrorCode } from './error-table.ts';
import type { WaitReason } from './publish-state.ts';

/** The error of a job that waited too long, by what it waited for. */
export const WAITED_TOO_LONG = {
  turn: 'TIKTOK_RATE_LIMITED',
  rate_limit: 'TIKTOK_RATE_LIMITED',
  daily_cap: 'TIKTOK_DAILY_POST_CAP',
  pending_share_cap: 'TIKTOK_PENDING_SHARE_CAP',
  active_user_cap: 'TIKTOK_ACTIVE_USER_CAP',
  account_paused: 'AUTH_ACCOUNT_PAUSED',
  reauthorization: 'AUTH_REAUTHORIZATION_REQUIRED',
  replication: 'REDIS_NOT_REPLICATED',
} as const satisfies Record<WaitReason, ErrorCode>;

/** Whether a job waits too long. It counts from its creation, its scheduled time or its last retry (ms since the epoch). */
export function hasWaitedTooLong(
  job: {
    readonly createdAt: number;
    readonly scheduledAt?: number | undefined;
    readonly retriedAt?: number | undefined;
  },
  at: number,
  maxWaitMs: number,
): boolean {
  return at - Math.max(job.createdAt, job.scheduledAt ?? 0, job.retriedAt ?? 0) > maxWaitMs;
}
