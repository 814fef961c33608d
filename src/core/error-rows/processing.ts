import type { ErrorRow } from '../verdict.ts';
import { act, giveUp } from './row.ts';

/** Why TikTok's status says FAILED (content-posting-api-reference-get-video-status, `fail_reason`, read 2026-11-22). */
export const PROCESSING_ROWS = {
  TIKTOK_PROCESSING_INTERNAL: act('new_init', {
    message: 'TikTok failed while processing the post',
    advice:
      'The cause is at TikTok, not the encoding. The post is started again twice; if TikTok still fails, retry it hours later.',
  }),
  TIKTOK_PULL_FAILED: act('new_init', {
    message: 'TikTok could not fetch the video or the photos',
    advice:
      'Each URL must respond over https without a redirect, and the download must finish within one hour. Photos must be JPEG or WebP of at most 20 MB.',
  }),
  TIKTOK_PULL_STALLED: giveUp({
    message: "TikTok's download stalled",
    advice:
      'Retry it, enqueue it with media.type "url" so that the worker uploads it, or add "fallback": "upload" to the pull.',
    retryable: true,
  }),
  TIKTOK_MEDIA_FORMAT: giveUp({
    message: 'TikTok does not accept the format of the video or photos',
    advice: 'Encode it as MP4 with H.264, then enqueue it again.',
  }),
  TIKTOK_MEDIA_DURATION: giveUp({
    message: 'TikTok does not accept the duration of the video',
    advice: 'Cut it to at least 3 seconds. A draft may have 10 minutes, a direct post what TikTok allows this creator.',
  }),
  TIKTOK_MEDIA_FRAME_RATE: giveUp({
    message: 'TikTok does not accept the frame rate of the video',
    advice: 'Encode it with 23 to 60 frames per second.',
  }),
  TIKTOK_MEDIA_PICTURE_SIZE: giveUp({
    message: 'TikTok does not accept the resolution of the video',
    advice: 'Scale width and height to 360 to 4096 pixels.',
  }),
  TIKTOK_MEDIA_BITRATE: giveUp({
    message: 'TikTok does not accept the bitrate of the video',
    advice: 'Encode it with a lower bitrate.',
  }),
  TIKTOK_PUBLISH_CANCELLED: giveUp({
    message: 'the post was cancelled on TikTok',
    advice: 'Enqueue it again if it is still wanted.',
    retryable: true,
  }),
  TIKTOK_POSTED_TOO_OFTEN: giveUp({
    message: 'the account reached its limit of posts per 24 hours while TikTok processed the post',
    advice: 'Retry after 24 hours, or post from the TikTok app.',
    retryable: true,
  }),
  TIKTOK_SPAM_TEXT: giveUp({
    message: 'TikTok flagged the caption as spam',
    advice: 'Change the title and enqueue it again.',
  }),
  TIKTOK_SPAM: giveUp({
    message: 'TikTok flagged the post as spam',
    advice: 'Do not repeat it. First review the video and the recent posts of the account.',
  }),
  TIKTOK_PRIVACY_NOT_AUTHORIZED: giveUp({
    message: 'TikTok does not allow this privacy level for the post',
    advice: 'Choose a privacy level that TikTok currently offers for this account, and enqueue a new request.',
  }),
  TIKTOK_FAILED_UNKNOWN_REASON: giveUp({
    message: 'TikTok rejected the post with an unknown reason',
    advice: "Look up TikTok's reason in its documentation before retrying, and report it to the maintainers.",
    retryable: true,
    alert: 'page',
  }),
} as const satisfies Record<string, ErrorRow>;
