import type { ErrorRow } from '../verdict.ts';
import { act, giveUp } from './row.ts';

/** Why TikTok's status says FAILED (content-posting-api-reference-get-video-status, `fail_reason`, read 2026-11-22). */
export const PROCESSING_ROWS = {
  TIKTOK_PROCESSING_INTERNAL: act('new_init', {
    message: 'TikTok failed while processing the video',
    advice: 'It is sent again by itself. If it stays, try another encoding.',
  }),
  TIKTOK_PULL_FAILED: act('new_init', {
    message: 'TikTok could not fetch the video or the photos',
    advice:
      'Each URL must answer over https without a redirect, fast enough to be fetched within one hour; photos must be JPEG or WebP of at most 20 MB.',
  }),
  TIKTOK_PULL_STALLED: giveUp(
    {
      message: "TikTok's own download of the video stood still",
      advice:
        'Retry it, enqueue it with media.type "url", by which we upload it, or add "fallback": "upload" to the pull.',
    },
    { retryable: true },
  ),
  TIKTOK_MEDIA_FORMAT: giveUp({
    message: 'TikTok does not accept the format of the video',
    advice: 'Encode it as MP4 with H.264 and enqueue it again.',
  }),
  TIKTOK_MEDIA_DURATION: giveUp({
    message: 'TikTok does not accept the length of the video',
    advice: 'Cut it to at least 3 seconds and at most what TikTok allows this creator (up to 10 minutes).',
  }),
  TIKTOK_MEDIA_FRAME_RATE: giveUp({
    message: 'TikTok does not accept the frame rate of the video',
    advice: 'Encode it with 23 to 60 frames per second.',
  }),
  TIKTOK_MEDIA_PICTURE_SIZE: giveUp({
    message: 'TikTok does not accept the picture size of the video',
    advice: 'Scale it so that width and height are each 360 to 4096 pixels.',
  }),
  TIKTOK_MEDIA_BITRATE: giveUp({
    message: 'TikTok does not accept the bit rate of the video',
    advice: 'Encode it with a lower bit rate.',
  }),
  TIKTOK_PUBLISH_CANCELLED: giveUp(
    {
      message: 'the post was cancelled at TikTok',
      advice: 'Enqueue it again if it is still wanted.',
    },
    { retryable: true },
  ),
  TIKTOK_POSTED_TOO_OFTEN: giveUp(
    {
      message: 'the account reached its number of posts per 24 hours while the video was processed',
      advice: 'Retry when the 24 hours are over, or post from the TikTok app.',
    },
    { retryable: true },
  ),
  TIKTOK_SPAM_TEXT: giveUp({
    message: 'TikTok takes the caption for spam',
    advice: 'Change the title and enqueue it again.',
  }),
  TIKTOK_SPAM: giveUp({
    message: 'TikTok takes the post for spam',
    advice: 'Do not repeat it: review the video and the habits of the account first.',
  }),
  TIKTOK_PRIVACY_NOT_AUTHORIZED: giveUp({
    message: 'TikTok does not allow this privacy level for the post',
    advice: 'Choose one of the privacy levels TikTok offers for this account now, and enqueue a new request.',
  }),
  TIKTOK_FAILED_UNKNOWN_REASON: giveUp(
    {
      message: 'TikTok failed the post for a reason this program does not know',
      advice: 'Look the reason of TikTok up in its documentation before retrying, and tell the maintainers.',
    },
    { retryable: true, alert: 'page' },
  ),
} as const satisfies Record<string, ErrorRow>;
