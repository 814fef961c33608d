import { HOUR_MS, MINUTE_MS } from '../units.ts';
import type { ErrorRow } from '../verdict.ts';
import { act, giveUp, retry, wait } from './row.ts';

/** What TikTok's endpoints answer (error tables of the content-posting-api-reference pages, read 2026-11-22). */
export const TIKTOK_ROWS = {
  TIKTOK_RATE_LIMITED: wait('rate_limit', MINUTE_MS, {
    message: 'too many calls within a minute for this account',
    advice: 'Nothing to do: the job goes on when the minute is over.',
  }),
  TIKTOK_DAILY_POST_CAP: wait('daily_cap', HOUR_MS, {
    message: 'the account reached its number of posts per 24 hours',
    advice: 'Nothing to do: the job goes on when TikTok allows it. The cap counts posts of all apps, usually about 15.',
  }),
  TIKTOK_PENDING_SHARE_CAP: wait('pending_share_cap', HOUR_MS, {
    message: "the creator's inbox holds as many unfinished drafts as TikTok allows",
    advice: 'Finish or discard drafts in the TikTok app; otherwise the job goes on when they age out after 24 hours.',
  }),
  TIKTOK_ACTIVE_USER_CAP: wait(
    'active_user_cap',
    HOUR_MS,
    {
      message: 'the app reached its number of posting accounts per 24 hours',
      advice: 'The job goes on when the cap frees. Ask TikTok to raise it, or have the app audited.',
    },
    { alert: 'page' },
  ),
  TIKTOK_USER_BANNED: giveUp(
    {
      message: 'TikTok has banned the account from posting',
      advice: 'The owner of the account must settle this with TikTok; then retry.',
    },
    { retryable: true, pausesAccount: true },
  ),
  TIKTOK_INVALID_PARAMS: giveUp(
    {
      message: 'TikTok refused the request as invalid',
      advice: 'Read the words of TikTok beside this code, correct the request and enqueue it again.',
    },
    { alert: 'count' },
  ),
  TIKTOK_INVALID_FILE_UPLOAD: giveUp({
    message: 'TikTok refused the file of the upload',
    advice: 'Check that the video plays and follows the media specification of TikTok, then enqueue it again.',
  }),
  TIKTOK_APP_VERSION: giveUp(
    {
      message: "the creator's TikTok app is too old to receive this draft",
      advice: 'The creator must update the TikTok app; then retry.',
    },
    { retryable: true },
  ),
  TIKTOK_URL_UNVERIFIED: giveUp(
    {
      message: 'the URL is not on a domain or prefix that the app has verified',
      advice:
        'In the TikTok developer portal, under "URL properties" of the app and in its production mode, verify the domain (by DNS; it covers all paths and subdomains) or the exact URL prefix (by a file; https, up to a slash). Then retry.',
    },
    { retryable: true },
  ),
  TIKTOK_PUBLISH_ID_UNKNOWN: retry({
    message: 'TikTok does not know the publish_id',
    advice: 'Right after the start this passes by itself. If it stays, check on TikTok whether the post exists.',
  }),
  TIKTOK_PUBLISH_ID_FOREIGN: giveUp(
    {
      message: 'the publish_id belongs to another account',
      advice:
        'The account of this name was connected to another TikTok user meanwhile: connect the first one again, then retry.',
    },
    { retryable: true, alert: 'page' },
  ),
  TIKTOK_NOT_CANCELLABLE: giveUp({
    message: 'TikTok can no longer cancel the post',
    advice: 'Wait for its outcome and delete the post in the app.',
  }),
  TIKTOK_PRIVACY_MISMATCH: giveUp({
    message: 'the creator may not use this privacy level now',
    advice: 'Choose one of the privacy levels TikTok offers for this account now, and enqueue a new request.',
  }),
  TIKTOK_UNAUDITED_CLIENT: giveUp(
    {
      message: 'an app that TikTok has not audited may post to private accounts only',
      advice:
        'Set the TikTok account itself to private (the post must be SELF_ONLY) or have the app audited, then retry.',
    },
    { retryable: true },
  ),
  TIKTOK_INTERNAL: retry(
    {
      message: 'TikTok failed inside',
      advice: 'It is tried again by itself. If it stays, look at the status page of TikTok.',
    },
    { outcomeKnown: false },
  ),
  TIKTOK_UNKNOWN_ERROR: retry(
    {
      message: 'TikTok answered with an error this program does not know',
      advice: 'Look the code of TikTok up in its documentation and tell the maintainers of this program.',
    },
    { alert: 'page' },
  ),
  TIKTOK_LOST_INIT: act(
    'unconfirmed',
    {
      message: 'the answer to the call that may have published was lost',
      advice: 'Look on TikTok whether the post appeared; only if it did not, retry with force.',
    },
    { outcomeKnown: false, retryable: false, alert: 'page' },
  ),
  TIKTOK_NO_OUTCOME: act(
    'unconfirmed',
    {
      message: 'TikTok told no outcome within 24 hours',
      advice: 'Look on TikTok whether the post appeared; a late answer corrects this job by itself.',
    },
    { outcomeKnown: false, retryable: false, alert: 'page' },
  ),
} as const satisfies Record<string, ErrorRow>;
