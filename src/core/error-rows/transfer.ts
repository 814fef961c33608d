import { MINUTE_MS } from '../units.ts';
import type { ErrorRow } from '../verdict.ts';
import { act, giveUp, retry, wait } from './row.ts';

/** What goes wrong on the network, and in the upload of chunks (content-posting-api-media-transfer-guide, read 2026-11-22). */
export const TRANSFER_ROWS = {
  TRANSPORT_CONNECT_FAILED: retry({
    message: 'TikTok could not be reached; nothing was sent',
    advice: 'Jobs try again automatically. If the error persists, check TIKTOK_API_BASE_URL, DNS, proxy and firewall.',
  }),
  TRANSPORT_NO_ANSWER: retry({
    message: 'the connection was lost before TikTok responded',
    advice:
      "This is resolved automatically: TikTok's status is checked before any call that could post twice is repeated.",
    outcomeKnown: false,
  }),
  TRANSPORT_BAD_ANSWER: retry({
    message: "the response does not match TikTok's documentation",
    advice: 'Check that TIKTOK_API_BASE_URL points to TikTok and that no proxy responds in its place.',
    outcomeKnown: false,
  }),
  UPLOAD_URL_EXPIRED: act('new_init', {
    message: 'the upload took longer than the upload URL is valid (one hour)',
    advice:
      'The upload restarts automatically. If the error persists, the uplink is too slow for this file: encode a smaller file.',
  }),
  UPLOAD_TASK_MISSING: act('new_init', {
    message: 'TikTok no longer knows this upload',
    advice: 'The upload restarts automatically.',
  }),
  UPLOAD_OFFSET_MISMATCH: act('resync_offset', {
    message: 'TikTok expects a different chunk next',
    advice: 'Nothing to do: the upload resumes at the offset that TikTok reports.',
  }),
  UPLOAD_CHUNK_REFUSED: giveUp({
    message: 'TikTok rejected a chunk as malformed',
    advice: 'This is a bug in this program, or a proxy changes request bodies. Report it to the maintainers.',
    alert: 'page',
  }),
  UPLOAD_SERVER_ERROR: retry({
    message: 'the upload server could not accept a chunk',
    advice: 'The chunk is retried automatically.',
    outcomeKnown: false,
  }),
  UPLOAD_RATE_LIMITED: wait('rate_limit', MINUTE_MS, {
    message: 'the upload server asked for a pause',
    advice: 'Nothing to do: the upload continues after the pause.',
    outcomeKnown: false,
  }),
  UPLOAD_UNEXPECTED_ANSWER: act('ask_status', {
    message: 'the upload server sent a response that TikTok does not document',
    advice:
      "TikTok's status is checked automatically. If the error persists, check that no proxy responds in place of TikTok.",
    outcomeKnown: false,
  }),
  UPLOAD_STALLED: retry({
    message: 'the upload stalled',
    advice: 'The upload resumes automatically. If the error persists, check the uplink of the worker.',
    outcomeKnown: false,
  }),
  UPLOAD_URL_REFUSED: giveUp({
    message: 'the upload URL does not point to TikTok',
    advice:
      'Check TIKTOK_API_BASE_URL: files are uploaded only to https hosts of tiktokapis.com and to the host in that setting. Then retry.',
    retryable: true,
    alert: 'page',
  }),
} as const satisfies Record<string, ErrorRow>;
