import { describe, expect, it } from 'vitest';
import {
  failReasonToErrorCode,
  oauthErrorToErrorCode,
  tiktokCodeToErrorCode,
  uploadStatusToErrorCode,
} from '../../../src/core/tiktok-codes.ts';

describe('tiktokCodeToErrorCode', () => {
  it.each([
    ['access_token_invalid', 401, 'AUTH_TOKEN_INVALID'],
    ['scope_not_authorized', 401, 'AUTH_SCOPE_MISSING'],
    ['scope_permission_missed', 400, 'AUTH_SCOPE_MISSING'],
    ['rate_limit_exceeded', 429, 'TIKTOK_RATE_LIMITED'],
    ['spam_risk_too_many_posts', 403, 'TIKTOK_DAILY_POST_CAP'],
    ['spam_risk_too_many_posts', 200, 'TIKTOK_DAILY_POST_CAP'],
    ['spam_risk_too_many_pending_share', 403, 'TIKTOK_PENDING_SHARE_CAP'],
    ['reached_active_user_cap', 403, 'TIKTOK_ACTIVE_USER_CAP'],
    ['invalid_param', 400, 'TIKTOK_INVALID_PARAMS'],
    ['invalid_params', 400, 'TIKTOK_INVALID_PARAMS'],
    ['invalid_publish_id', 400, 'TIKTOK_PUBLISH_ID_UNKNOWN'],
    ['internal_error', 500, 'TIKTOK_INTERNAL'],
    ['', 503, 'TIKTOK_INTERNAL'],
  ])('takes %j with HTTP %i for %s', (tiktokCode, httpStatus, expected) => {
    expect(tiktokCodeToErrorCode(tiktokCode, httpStatus)).toBe(expected);
  });

  it.each([
    [401, 'AUTH_TOKEN_INVALID'],
    [429, 'TIKTOK_RATE_LIMITED'],
    [500, 'TIKTOK_INTERNAL'],
    [403, 'TIKTOK_UNKNOWN_ERROR'],
    [200, 'TIKTOK_UNKNOWN_ERROR'],
  ])('judges an unknown code with HTTP %i by the status', (httpStatus, expected) => {
    expect(tiktokCodeToErrorCode('brand_new_code', httpStatus)).toBe(expected);
  });
});

describe('oauthErrorToErrorCode', () => {
  it('tells a dead grant from a refused app', () => {
    expect(oauthErrorToErrorCode('invalid_grant', 200)).toBe('AUTH_REAUTHORIZATION_REQUIRED');
    expect(oauthErrorToErrorCode('invalid_client', 401)).toBe('AUTH_CLIENT_REFUSED');
  });

  it('never takes an unknown error for a dead grant', () => {
    expect(oauthErrorToErrorCode('something_else', 200)).toBe('TIKTOK_UNKNOWN_ERROR');
    expect(oauthErrorToErrorCode('something_else', 500)).toBe('TIKTOK_INTERNAL');
    expect(oauthErrorToErrorCode('rate_limit_exceeded', 429)).toBe('TIKTOK_RATE_LIMITED');
  });
});

describe('failReasonToErrorCode', () => {
  it.each([
    ['internal', 'TIKTOK_PROCESSING_INTERNAL'],
    ['video_pull_failed', 'TIKTOK_PULL_FAILED'],
    ['file_format_check_failed', 'TIKTOK_MEDIA_FORMAT'],
    ['auth_removed', 'AUTH_REMOVED'],
    ['spam_risk_text', 'TIKTOK_SPAM_TEXT'],
    ['internal_but_different', 'TIKTOK_FAILED_UNKNOWN_REASON'],
    [undefined, 'TIKTOK_FAILED_UNKNOWN_REASON'],
  ])('takes %s for %s', (failReason, expected) => {
    expect(failReasonToErrorCode(failReason)).toBe(expected);
  });
});

describe('uploadStatusToErrorCode', () => {
  it.each([
    [400, 'UPLOAD_CHUNK_REFUSED'],
    [403, 'UPLOAD_URL_EXPIRED'],
    [404, 'UPLOAD_TASK_MISSING'],
    [416, 'UPLOAD_OFFSET_MISMATCH'],
    [429, 'UPLOAD_RATE_LIMITED'],
    [502, 'UPLOAD_SERVER_ERROR'],
    [302, 'UPLOAD_UNEXPECTED_ANSWER'],
    [409, 'UPLOAD_UNEXPECTED_ANSWER'],
  ])('takes HTTP %i for %s', (httpStatus, expected) => {
    expect(uploadStatusToErrorCode(httpStatus)).toBe(expected);
  });
});
