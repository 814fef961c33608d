import { MINUTE_MS } from '../units.ts';
import type { ErrorRow } from '../verdict.ts';
import { act, giveUp, retry, wait } from './row.ts';

/** What goes wrong on the network, and in the upload of chunks (content-posting-api-media-transfer-guide, read 2026-11-22). */
export const TRANSFER_ROWS = {
  TRANSPORT_CONNECT_FAILED: retry({
    message: 'TikTok could not be reached; nothing was sent',
    advice: 'It is tried again by itself. If it stays, check name resolution, proxy and firewall of the worker.',
  }),
  TRANSPORT_NO_ANSWER: retry(
    {
      message: 'the connection broke before TikTok answered',
      advice: 'It is settled by itself: TikTok is asked before anything is repeated that could post twice.',
    },
    { outcomeKnown: false },
  ),
  TRANSPORT_BAD_ANSWER: retry(
    {
      message: 'the answer is not what TikTok documents',
      advice: 'Check that TIKTOK_API_BASE_URL names TikTok and that no proxy answers in its place.',
    },
    { outcomeKnown: false },
  ),
  UPLOAD_URL_EXPIRED: act('new_init', {
    message: 'the upload took longer than the hour its URL lives',
    advice: 'It starts afresh by itself. If it stays, the uplink is too slow for this file: encode it smaller.',
  }),
  UPLOAD_TASK_MISSING: act('new_init', {
    message: 'TikTok no longer knows this upload',
    advice: 'It starts afresh by itself.',
  }),
  UPLOAD_OFFSET_MISMATCH: act('resync_offset', {
    message: 'TikTok expects another part of the file next',
    advice: 'Nothing to do: the upload goes on from where TikTok says.',
  }),
  UPLOAD_CHUNK_REFUSED: giveUp(
    {
      message: 'TikTok refused a part of the file as malformed',
      advice: 'This is a fault of this program or of a proxy that changes bodies: tell the maintainers.',
    },
    { alert: 'page' },
  ),
  UPLOAD_SERVER_ERROR: retry(
    {
      message: 'the upload server could not take a part of the file just now',
      advice: 'It is sent again by itself.',
    },
    { outcomeKnown: false },
  ),
  UPLOAD_RATE_LIMITED: wait(
    'rate_limit',
    MINUTE_MS,
    {
      message: 'the upload server asked for a pause',
      advice: 'Nothing to do: the upload goes on after the pause.',
    },
    { outcomeKnown: false },
  ),
  UPLOAD_UNEXPECTED_ANSWER: act(
    'ask_status',
    {
      message: 'the upload server gave an answer that TikTok does not document',
      advice: 'TikTok is asked what it has. If it stays, check that no proxy answers in place of TikTok.',
    },
    { outcomeKnown: false },
  ),
  UPLOAD_STALLED: retry(
    {
      message: 'the upload stood still',
      advice: 'It goes on by itself. If it stays, check the uplink of the worker.',
    },
    { outcomeKnown: false },
  ),
  UPLOAD_URL_REFUSED: giveUp(
    {
      message: 'the upload URL does not point to TikTok',
      advice:
        'Check TIKTOK_API_BASE_URL: files go only to https hosts of tiktokapis.com and to that host itself. Then retry.',
    },
    { retryable: true, alert: 'page' },
  ),
} as const satisfies Record<string, ErrorRow>;
