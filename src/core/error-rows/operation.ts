import { SECOND_MS } from '../units.ts';
import type { ErrorRow } from '../verdict.ts';
import { act, giveUp, retry, wait } from './row.ts';

/** What operators and maintainers can put right. */
export const OPERATION_ROWS = {
  CONFIG_INVALID: giveUp(
    {
      message: 'a setting is not valid',
      advice: 'Correct every setting named in the problems; .env.example describes all of them.',
    },
    { alert: 'page' },
  ),
  CONFIG_KEY_UNKNOWN: giveUp(
    {
      message: 'a secret was sealed with a key that is not configured',
      advice: 'Put the key back into ENCRYPTION_KEYS (the first encrypts, all decrypt), or connect the accounts again.',
    },
    { retryable: true, alert: 'page' },
  ),
  CONFIG_SEALING_KEY_MISSING: giveUp(
    {
      message: 'a URL of the request holds a secret, and there is no key to seal it with',
      advice:
        'Start the service once on this Redis: it publishes the key. Or set ENCRYPTION_KEYS here as the service has it.',
    },
    { retryable: true },
  ),
  CONFIG_CLIENT_CREDENTIALS_MISSING: retry(
    {
      message: "the app's credentials are not configured",
      advice: 'Set TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET; without them no access token can be renewed.',
    },
    { alert: 'page' },
  ),
  CONFIG_PORT_TAKEN: giveUp({
    message: 'the port is in use by another program',
    advice: 'Choose another one with PORT (of the simulator: --port), or stop the program that holds it.',
  }),
  REDIS_UNAVAILABLE: retry(
    {
      message: 'Redis cannot be reached',
      advice:
        'Check that Redis runs and that the settings of Redis are right; `tiktok-publisher doctor` says what is wrong with it.',
    },
    { alert: 'page' },
  ),
  REDIS_NOT_REPLICATED: wait(
    'replication',
    5 * SECOND_MS,
    {
      message: 'Redis could not confirm that its replicas have the write',
      advice:
        'Nothing was sent to TikTok, but what was asked for may have taken effect all the same: ask again, for a new job with the same idempotency key. Check the replicas and sentinels of Redis, and REDIS_WAIT_REPLICAS.',
    },
    { alert: 'page' },
  ),
  REDIS_WENT_BACK: act(
    'unconfirmed',
    {
      message: 'Redis was set back to an older state, and the job may have been published since',
      advice: 'Look on TikTok whether the post appeared; only if it did not, retry with force.',
    },
    { outcomeKnown: false, retryable: false, alert: 'page' },
  ),
  INTERNAL_ERROR: retry(
    {
      message: 'something this program did not foresee went wrong',
      advice: 'Look at the log for the cause and tell the maintainers.',
    },
    { outcomeKnown: false, alert: 'page' },
  ),
  INTERNAL_TAMPERED: giveUp(
    {
      message: 'a sealed secret was changed or moved',
      advice: 'Find out who writes to this Redis; then connect the account again and retry.',
    },
    { retryable: true, alert: 'page' },
  ),
  INTERNAL_OVERTAKEN: act(
    'superseded',
    {
      message: 'another worker has taken the job over',
      advice: 'Nothing to do: the other worker goes on with it.',
    },
    { retryable: false, alert: 'ignore' },
  ),
} as const satisfies Record<string, ErrorRow>;
