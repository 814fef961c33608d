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
