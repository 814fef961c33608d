import { HOUR_MS, MINUTE_MS } from '../units.ts';
import type { ErrorRow } from '../verdict.ts';
import { act, giveUp, retry, wait } from './row.ts';

/** What TikTok's endpoints answer (error tables of the content-posting-api-reference pages, read 2026-11-22). */
export const TIKTOK_ROWS = {
  TIKTOK_RATE_LIMITED: wait('rate_limit', MINUTE_MS, {
    message: "the account reached TikTok's rate limit per minute",
    advice: 'Nothing to do: the job continues after the minute.',
  }),
  TIKTOK_DAILY_POST_CAP: wait('daily_cap', HOUR_MS, {
    message: 'the account reached its limit of posts per 24 hours',
    advice:
      'Nothing to do: the job continues when TikTok allows it. The limit counts posts from all apps, usually about 15.',
  }),
  TIKTOK_PENDING_SHARE_CAP: wait('pending_share_cap', HOUR_MS, {
    message: "the creator's inbox reached TikTok's limit of unfinished drafts",
    advice:
      'Post drafts in the TikTok app: the job continues as soon as TikTok reports one as posted, else when drafts expire after 24 hours.',
  }),
  TIKTOK_ACTIVE_USER_CAP: wait('active_user_cap', HOUR_MS, {
    message: 'the app reached its limit of posting accounts per 24 hours',
    advice: 'The job continues when the limit allows it. Ask TikTok to raise the limit, or have the app audited.',
    alert: 'page',
  }),
  TIKTOK_USER_BANNED: giveUp({
    message: 'TikTok has banned the account from posting',
    advice: 'The owner of the account must resolve this with TikTok, then retry.',
    retryable: true,
    pausesAccount: true,
  }),
  TIKTOK_INVALID_PARAMS: giveUp({
    message: 'TikTok rejected the request as invalid',
    advice: "Read TikTok's message next to this code, correct the request and enqueue it again.",
    alert: 'count',
  }),
  TIKTOK_INVALID_FILE_UPLOAD: giveUp({
    message: 'TikTok rejected the uploaded file',
    advice: "Check that the video plays and meets TikTok's media specification, then enqueue it again.",
  }),
  TIKTOK_APP_VERSION: giveUp({
    message: "the creator's TikTok app is too old to receive this draft",
    advice: 'The creator must update the TikTok app, then retry.',
    retryable: true,
  }),
  TIKTOK_URL_UNVERIFIED: giveUp({
    message: 'the URL is not on a verified domain or URL prefix of the app',
    advice:
      'Open the app in the TikTok developer portal, in production mode. Under "URL properties", verify the domain (by DNS; covers all paths and subdomains) or the exact URL prefix (by a file; https, ends with a slash). Then retry.',
    retryable: true,
  }),
  TIKTOK_PUBLISH_ID_UNKNOWN: retry({
    message: 'TikTok does not know the publish_id',
    advice:
      'Shortly after the start of a post this resolves itself. If the error persists, check on TikTok whether the post exists.',
  }),
  TIKTOK_PUBLISH_ID_FOREIGN: giveUp({
    message: 'the publish_id belongs to another account',
    advice:
      'This account name was connected to another TikTok user in the meantime. Connect the original user again, then retry.',
    retryable: true,
    alert: 'page',
  }),
  TIKTOK_NOT_CANCELLABLE: giveUp({
    message: 'TikTok can no longer cancel the post, which has ended or is about to end',
    advice:
      "Nothing to do: the job ends as TikTok's status says. If it was published, delete the post in the TikTok app.",
  }),
  TIKTOK_PRIVACY_MISMATCH: giveUp({
    message: 'the creator cannot use this privacy level now',
    advice: 'Choose a privacy level that TikTok currently offers for this account, and enqueue a new request.',
  }),
  TIKTOK_UNAUDITED_CLIENT: giveUp({
    message: 'an app that TikTok has not audited can post to private accounts only',
    advice:
      'Set the TikTok account itself to private (the post must be SELF_ONLY) or have the app audited, then retry.',
    retryable: true,
  }),
  TIKTOK_INTERNAL: retry({
    message: 'TikTok had an internal error',
    advice: "The call is retried automatically. If the error persists, check TikTok's status page.",
    outcomeKnown: false,
  }),
  TIKTOK_UNKNOWN_ERROR: retry({
    message: 'TikTok returned an unknown error',
    advice: "Look up TikTok's code in its documentation and report it to the maintainers of this program.",
    alert: 'page',
  }),
  TIKTOK_LOST_INIT: act('unconfirmed', {
    message: 'the response to the call that may have published the post was lost',
    advice: 'Check on TikTok whether the post appeared. Only if it did not, retry with force.',
    outcomeKnown: false,
    retryable: false,
    alert: 'page',
  }),
  TIKTOK_NO_OUTCOME: act('unconfirmed', {
    message: 'TikTok reported no outcome within 24 hours',
    advice:
      'Check on TikTok whether the post appeared. If TikTok reports the outcome later, this job is corrected automatically.',
    outcomeKnown: false,
    retryable: false,
    alert: 'page',
  }),
} as const satisfies Record<string, ErrorRow>;
