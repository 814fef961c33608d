import type { ErrorRow } from '../verdict.ts';
import { giveUp, retry } from './row.ts';

/** What goes wrong on the way to hosts that callers name: callback URLs and media of theirs. */
export const OUTBOUND_ROWS = {
  OUTBOUND_URL_REFUSED: giveUp({
    message: 'this URL is not allowed',
    advice:
      'Use https. http is allowed only for hosts in OUTBOUND_ALLOW_HOSTS. Only a video URL may contain a user name and password.',
  }),
  OUTBOUND_HOST_REFUSED: giveUp({
    message: 'the host is not on the public internet',
    advice: 'Use a public host. To allow this host, the operator must add it to OUTBOUND_ALLOW_HOSTS.',
  }),
  OUTBOUND_UNREACHABLE: retry({
    message: 'the host could not be reached; nothing was sent',
    advice:
      'The request is retried automatically. If the error persists, check the name, port and certificate of the host.',
  }),
  OUTBOUND_NO_ANSWER: retry({
    message: 'the connection was lost or timed out before the host responded',
    advice: 'The request is retried automatically. If the error persists, check why the host is slow.',
  }),
} as const satisfies Record<string, ErrorRow>;

/** What goes wrong in the delivery of events to callback URLs. None of it changes the publish job. */
export const CALLBACK_ROWS = {
  CALLBACK_REFUSED: retry({
    message: 'the receiver did not accept the event',
    advice:
      'Delivery is retried for about a day. The receiver must respond with 2xx in time (CALLBACK_TIMEOUT_SECONDS).',
  }),
  CALLBACK_REDIRECTED: retry({
    message: 'the receiver responded with a redirect; redirects are not followed',
    advice: 'Use the redirect target as the callback URL, then replay the event.',
  }),
  CALLBACK_GONE: giveUp({
    message: 'the receiver rejected the event permanently',
    advice:
      'It responded with 410, so nothing more is sent to this URL. If that was a mistake, fix the receiver, run `tiktok-publisher callbacks resume` with the URL, then replay the events.',
  }),
  CALLBACK_NOT_FOUND: giveUp({
    message: 'no callback event, job or endpoint has this id',
    advice: 'Check it with `tiktok-publisher callbacks list`. Delivered events are deleted after RETENTION_DAYS.',
  }),
} as const satisfies Record<string, ErrorRow>;
