import { MINUTE_MS } from '../units.ts';
import type { ErrorRow } from '../verdict.ts';
import { act, giveUp, wait } from './row.ts';

/** What the owner of the TikTok account, or of the app's credentials, can put right. */
export const AUTH_ROWS = {
  AUTH_TOKEN_INVALID: act('refresh_token', {
    message: 'TikTok rejected the access token',
    advice: 'The token is refreshed automatically. If the error persists, connect the account again.',
  }),
  AUTH_REAUTHORIZATION_REQUIRED: wait('reauthorization', 10 * MINUTE_MS, {
    message: 'the account must be connected to TikTok again',
    advice:
      'The owner must connect the account again (`tiktok-publisher accounts connect`). Waiting jobs then continue automatically.',
  }),
  AUTH_ACCOUNT_PAUSED: giveUp({
    message: 'the account was paused for longer than a job may wait',
    advice: 'Resume the account (`tiktok-publisher accounts resume`), then retry.',
    retryable: true,
  }),
  AUTH_SCOPE_MISSING: giveUp({
    message: 'the owner of the account did not grant a scope that this needs',
    advice: 'Connect the account again with video.publish (direct) or video.upload (inbox), then retry.',
    retryable: true,
  }),
  AUTH_REMOVED: giveUp({
    message: 'the owner of the account removed the app while TikTok processed the post',
    advice: 'The owner must connect the account again, then retry.',
    retryable: true,
  }),
  AUTH_CLIENT_REFUSED: act('retry', {
    message: 'TikTok rejected the app credentials',
    advice: 'Check TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET against the app in the TikTok developer portal.',
    alert: 'page',
  }),
} as const satisfies Record<string, ErrorRow>;
