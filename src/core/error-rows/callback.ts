import type { ErrorRow } from '../verdict.ts';
import { giveUp, retry } from './row.ts';

/** What goes wrong in the delivery of events to callback URLs. None of it changes the publish job. */
export const CALLBACK_ROWS = {
  CALLBACK_REFUSED: retry({
    message: 'the receiver did not take the event',
    advice: 'It is delivered again for about a day. The receiver should answer with 2xx within 10 seconds.',
  }),
  CALLBACK_REDIRECTED: retry({
    message: 'the receiver answered with a redirect, which is not followed',
    advice: 'Enqueue with the address that the redirect leads to, then replay the event.',
  }),
  CALLBACK_GONE: giveUp({
    message: 'the receiver wants no more of this event',
    advice: 'It answered 410. If that was a mistake, mend the receiver and replay the event.',
  }),
  CALLBACK_NOT_FOUND: giveUp({
    message: 'there is no such event, job or endpoint among the callbacks',
    advice: 'Check it with `tiktok-publisher callbacks list`; what was delivered is dropped after RETENTION_DAYS.',
  }),
} as const satisfies Record<string, ErrorRow>;
