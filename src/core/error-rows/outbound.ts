import type { ErrorRow } from '../verdict.ts';
import { giveUp, retry } from './row.ts';

/** What goes wrong on the way to hosts that callers name: callback URLs and media of theirs. */
export const OUTBOUND_ROWS = {
  OUTBOUND_URL_REFUSED: giveUp({
    message: 'this URL may not be asked',
    advice:
      'Use https; http is for hosts in OUTBOUND_ALLOW_HOSTS. User and password may stand in the URL of a video only.',
  }),
  OUTBOUND_HOST_REFUSED: giveUp({
    message: 'the host is not on the public internet',
    advice: 'Use a public host. If this one is meant to be reached, let the operator add it to OUTBOUND_ALLOW_HOSTS.',
  }),
  OUTBOUND_UNREACHABLE: retry({
    message: 'the host could not be reached; nothing was sent',
    advice: 'It is tried again by itself. If it stays, check name, port and certificate of the host.',
  }),
  OUTBOUND_NO_ANSWER: retry({
    message: 'the connection broke or timed out before the host answered',
    advice: 'It is tried again by itself. If it stays, check why the host is slow.',
  }),
} as const satisfies Record<string, ErrorRow>;
