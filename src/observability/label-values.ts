import { isErrorCode } from '../core/error-table.ts';
import { OPERATION_KINDS, OPERATION_OUTCOMES } from '../core/operation.ts';
import { toPostReport } from '../core/post-report.ts';
import { ALL_PUBLISH_STATES, isTerminal, WAIT_REASONS } from '../core/publish-state.ts';
import { isTikTokCode } from '../core/tiktok-codes.ts';

/** What a label says that we have no name for: each value of a label is a time series for ever. */
const OTHER = 'other';

/** TikTok's statuses (content-posting-api-reference-get-video-status, read 2026-11-22). */
const STATUSES: readonly string[] = [
  'PROCESSING_UPLOAD',
  'PROCESSING_DOWNLOAD',
  'SEND_TO_USER_INBOX',
  'PUBLISH_COMPLETE',
  'FAILED',
];
/** How a request to TikTok may go beside the codes of TikTok and ours. */
const REQUEST_CODES: readonly string[] = ['ok', 'aborted', 'unreadable'];
const HTTP_CODE = /^http_[1-5]\d\d$/;

const MODES = ['direct', 'inbox'];
const SOURCES = ['file', 'url', 'pull', 's3', 'photos'];

/**
 * Label values that counters have from the start: Prometheus sees no increase in a counter that begins at 1, so the
 * first unconfirmed job would raise no alert.
 */
export const VALUES_FROM_THE_START = {
  jobs: MODES.flatMap((mode) =>
    SOURCES.flatMap((source) =>
      ALL_PUBLISH_STATES.filter(isTerminal).map((outcome) => ({ mode, source, outcome: String(outcome) })),
    ),
  ),
  operationJobs: OPERATION_KINDS.flatMap((kind) => OPERATION_OUTCOMES.map((outcome) => ({ kind, outcome }))),
  deferrals: WAIT_REASONS,
  refreshes: ['refreshed', 'overtaken', 'reauthorization_required', 'failed'],
  deliveries: ['delivered', 'retried', 'failed', 'held', 'disabled'],
  lateUntil: ['init', 'published'],
  steps: ['publish', 'status', 'recheck', 'delivery', 'sweep', 'enqueue'],
  refusedRequests: [
    ...['direct_init', 'inbox_init', 'status', 'creator_info'].map((endpoint) => ({
      endpoint,
      code: 'rate_limit_exceeded',
    })),
    ...['direct_init', 'photo_init'].map((endpoint) => ({ endpoint, code: 'privacy_level_option_mismatch' })),
  ],
} as const;

/** The label of a request's answer: TikTok's code or ours, if it is a known one. */
export function requestCodeLabel(code: string): string {
  const isKnown = REQUEST_CODES.includes(code) || isTikTokCode(code) || isErrorCode(code) || HTTP_CODE.test(code);
  return isKnown ? code : OTHER;
}

/** The label of a status poll: TikTok's status, or our code for why there was none. */
export function statusLabel(status: string): string {
  return STATUSES.includes(status) || isErrorCode(status) ? status : OTHER;
}

/** The label of a webhook's event, without TikTok's different spellings. */
export function webhookLabel(event: string): string {
  return event === 'authorization.removed' ? 'authorization_removed' : (toPostReport(event) ?? OTHER);
}
