import { SECOND_MS } from '../units.ts';
import type { ErrorRow } from '../verdict.ts';
import { act, giveUp, retry, wait } from './row.ts';

/** What operators and maintainers can put right. */
export const OPERATION_ROWS = {
  CONFIG_INVALID: giveUp({
    message: 'a setting is not valid',
    advice: 'Correct every setting listed in the problems. .env.example describes all settings.',
    alert: 'page',
  }),
  CONFIG_KEY_UNKNOWN: giveUp({
    message: 'a secret was encrypted with a key that is not configured',
    advice:
      'Add the key to ENCRYPTION_KEYS again (the first key encrypts, all keys decrypt), or connect the accounts again.',
    retryable: true,
    alert: 'page',
  }),
  CONFIG_SEALING_KEY_MISSING: giveUp({
    message: 'a URL in the request contains a secret, and no key to encrypt it is available',
    advice:
      'Start the service once with this Redis: it publishes the key. Or set the same ENCRYPTION_KEYS here as in the service.',
    retryable: true,
  }),
  CONFIG_CLIENT_CREDENTIALS_MISSING: retry({
    message: "the app's credentials are not configured",
    advice: 'Set TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET. Access tokens cannot be refreshed without them.',
    alert: 'page',
  }),
  CONFIG_PULL_ADDRESS_MISSING: giveUp({
    message: 'TikTok cannot download the media from this service, because PUBLIC_BASE_URL is not set',
    advice:
      'Set PUBLIC_BASE_URL in the workers and the web server, verify it at TikTok (see docs/media.md), then retry the job. Or give TikTok the URL of another server, with media.type "pull" or the "urls" of photos.',
    retryable: true,
    alert: 'page',
  }),
  CONFIG_PUBLISHING_PAUSED: giveUp({
    message: 'all publishing was paused for longer than a job may wait',
    advice: 'Resume publishing (`tiktok-publisher resume`), then retry.',
    retryable: true,
  }),
  CONFIG_PORT_TAKEN: giveUp({
    message: 'the port is in use by another program',
    advice: 'Choose another port with PORT (for the simulator: --port), or stop the program that uses it.',
  }),
  REDIS_UNAVAILABLE: retry({
    message: 'Redis cannot be reached',
    advice:
      'Check that Redis is running and that the Redis settings are correct. `tiktok-publisher doctor` shows what is wrong.',
    alert: 'page',
  }),
  REDIS_NOT_REPLICATED: wait('replication', 5 * SECOND_MS, {
    message: 'Redis could not confirm that its replicas have received the write',
    advice:
      'Nothing was sent to TikTok, but the change may have been stored. Repeat the request, for a new job with the same idempotency key. Check the Redis replicas and sentinels, and REDIS_WAIT_REPLICAS.',
    alert: 'page',
  }),
  REDIS_WENT_BACK: act('unconfirmed', {
    message: 'Redis was restored to an older state, and the job may have been published since then',
    advice: 'Check on TikTok whether the post appeared. Only if it did not, retry with force.',
    outcomeKnown: false,
    retryable: false,
    alert: 'page',
  }),
  INTERNAL_ERROR: retry({
    message: 'an unexpected internal error occurred',
    advice: 'Find the cause in the log and report it to the maintainers.',
    outcomeKnown: false,
    alert: 'page',
  }),
  INTERNAL_WORKERS_LOST: giveUp({
    message: 'five workers in a row died or hung while they ran the job, and it got no further',
    advice:
      'Find out from the logs why the workers ended, for example for lack of memory. Check the media of the job. Then retry.',
    retryable: true,
    alert: 'page',
  }),
  INTERNAL_TAMPERED: giveUp({
    message: 'an encrypted secret was changed or moved',
    advice: 'Find out which other program writes to this Redis. Then connect the account again and retry.',
    retryable: true,
    alert: 'page',
  }),
  INTERNAL_OVERTAKEN: act('superseded', {
    message: 'another worker has taken over the job',
    advice: 'Nothing to do: the other worker continues the job.',
    retryable: false,
    alert: 'ignore',
  }),
} as const satisfies Record<string, ErrorRow>;
