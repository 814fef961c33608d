import type { ErrorCode } from './error-table.ts';

/** TikTok's `error.code` values (error tables of the content-posting-api-reference pages and tiktok-api-v2-error-handling). */
const BY_TIKTOK_CODE: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ['access_token_invalid', 'AUTH_TOKEN_INVALID'],
  ['scope_not_authorized', 'AUTH_SCOPE_MISSING'],
  ['scope_permission_missed', 'AUTH_SCOPE_MISSING'],
  ['rate_limit_exceeded', 'TIKTOK_RATE_LIMITED'],
  ['spam_risk_too_many_posts', 'TIKTOK_DAILY_POST_CAP'],
  ['spam_risk_too_many_pending_share', 'TIKTOK_PENDING_SHARE_CAP'],
  ['spam_risk_user_banned_from_posting', 'TIKTOK_USER_BANNED'],
  ['reached_active_user_cap', 'TIKTOK_ACTIVE_USER_CAP'],
  ['invalid_param', 'TIKTOK_INVALID_PARAMS'],
  ['invalid_params', 'TIKTOK_INVALID_PARAMS'],
  ['invalid_file_upload', 'TIKTOK_INVALID_FILE_UPLOAD'],
  ['app_version_check_failed', 'TIKTOK_APP_VERSION'],
  ['url_ownership_unverified', 'TIKTOK_URL_UNVERIFIED'],
  ['invalid_publish_id', 'TIKTOK_PUBLISH_ID_UNKNOWN'],
  ['token_not_authorized_for_specified_publish_id', 'TIKTOK_PUBLISH_ID_FOREIGN'],
  ['publish_not_cancellable', 'TIKTOK_NOT_CANCELLABLE'],
  ['privacy_level_option_mismatch', 'TIKTOK_PRIVACY_MISMATCH'],
  ['unaudited_client_can_only_post_to_private_accounts', 'TIKTOK_UNAUDITED_CLIENT'],
  ['internal_error', 'TIKTOK_INTERNAL'],
]);

/** Our code for TikTok's `error.code`; one we don't know is judged by the HTTP status. */
export function tiktokCodeToErrorCode(tiktokCode: string, httpStatus: number): ErrorCode {
  const known = BY_TIKTOK_CODE.get(tiktokCode);
  if (known !== undefined) return known;
  if (httpStatus === 401) return 'AUTH_TOKEN_INVALID';
  if (httpStatus === 429) return 'TIKTOK_RATE_LIMITED';
  return httpStatus >= 500 ? 'TIKTOK_INTERNAL' : 'TIKTOK_UNKNOWN_ERROR';
}

/** OAuth's `error` values (RFC 6749 section 5.2 and TikTok's oauth-error-handling); the app's own faults are not the user's. */
const BY_OAUTH_ERROR: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ['invalid_grant', 'AUTH_REAUTHORIZATION_REQUIRED'],
  ['access_denied', 'AUTH_REAUTHORIZATION_REQUIRED'],
  ['invalid_client', 'AUTH_CLIENT_REFUSED'],
  ['unauthorized_client', 'AUTH_CLIENT_REFUSED'],
  ['invalid_scope', 'AUTH_SCOPE_MISSING'],
  ['invalid_request', 'AUTH_CLIENT_REFUSED'],
  ['unsupported_grant_type', 'AUTH_CLIENT_REFUSED'],
  ['unsupported_response_type', 'AUTH_CLIENT_REFUSED'],
  ['server_error', 'TIKTOK_INTERNAL'],
  ['temporarily_unavailable', 'TIKTOK_INTERNAL'],
]);

/** Our code for the `error` of an OAuth answer, which TikTok sends with any HTTP status, 200 included. */
export function oauthErrorToErrorCode(oauthError: string, httpStatus: number): ErrorCode {
  return BY_OAUTH_ERROR.get(oauthError) ?? tiktokCodeToErrorCode(oauthError, httpStatus);
}

/** Whether TikTok documents this `error.code` or OAuth `error`. */
export function isTikTokCode(code: string): boolean {
  return BY_TIKTOK_CODE.has(code) || BY_OAUTH_ERROR.has(code);
}

/**
 * TikTok's `fail_reason` values (content-posting-api-reference-get-video-status), and the spellings beside them that
 * integrators report.
 */
const BY_FAIL_REASON: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ['internal', 'TIKTOK_PROCESSING_INTERNAL'],
  ['video_pull_failed', 'TIKTOK_PULL_FAILED'],
  ['video_download_failed', 'TIKTOK_PULL_FAILED'],
  ['photo_pull_failed', 'TIKTOK_PULL_FAILED'],
  ['photo_download_failed', 'TIKTOK_PULL_FAILED'],
  ['file_format_check_failed', 'TIKTOK_MEDIA_FORMAT'],
  ['file_format', 'TIKTOK_MEDIA_FORMAT'],
  ['duration_check_failed', 'TIKTOK_MEDIA_DURATION'],
  ['duration', 'TIKTOK_MEDIA_DURATION'],
  ['frame_rate_check_failed', 'TIKTOK_MEDIA_FRAME_RATE'],
  ['frame_rate', 'TIKTOK_MEDIA_FRAME_RATE'],
  ['picture_size_check_failed', 'TIKTOK_MEDIA_PICTURE_SIZE'],
  ['picture_size', 'TIKTOK_MEDIA_PICTURE_SIZE'],
  ['video_bitrate_check_failed', 'TIKTOK_MEDIA_BITRATE'],
  ['publish_cancelled', 'TIKTOK_PUBLISH_CANCELLED'],
  ['auth_removed', 'AUTH_REMOVED'],
  ['auth_failed', 'AUTH_REMOVED'],
  ['spam_risk_too_many_posts', 'TIKTOK_POSTED_TOO_OFTEN'],
  ['spam_risk_user_banned_from_posting', 'TIKTOK_USER_BANNED'],
  ['spam_risk_text', 'TIKTOK_SPAM_TEXT'],
  ['spam_risk', 'TIKTOK_SPAM'],
  ['privacy_level_not_authorized', 'TIKTOK_PRIVACY_NOT_AUTHORIZED'],
]);

/** Our code for the `fail_reason` of a post that TikTok reports as FAILED; absent ones are unknown too. */
export function failReasonToErrorCode(failReason: string | undefined): ErrorCode {
  return BY_FAIL_REASON.get(failReason ?? '') ?? 'TIKTOK_FAILED_UNKNOWN_REASON';
}

/** Upload answers (content-posting-api-media-transfer-guide, "Response"); 408 and 429 are not documented but mean "later". */
const BY_UPLOAD_STATUS: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [400, 'UPLOAD_CHUNK_REFUSED'],
  [403, 'UPLOAD_URL_EXPIRED'],
  [404, 'UPLOAD_TASK_MISSING'],
  [408, 'UPLOAD_SERVER_ERROR'],
  [416, 'UPLOAD_OFFSET_MISMATCH'],
  [429, 'UPLOAD_RATE_LIMITED'],
]);

/** Our code for an upload answer that is no success. */
export function uploadStatusToErrorCode(httpStatus: number): ErrorCode {
  const known = BY_UPLOAD_STATUS.get(httpStatus);
  if (known !== undefined) return known;
  return httpStatus >= 500 ? 'UPLOAD_SERVER_ERROR' : 'UPLOAD_UNEXPECTED_ANSWER';
}
