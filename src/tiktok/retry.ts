import pRetry from 'p-retry';
import { PublishError } from '../core/publish-error.ts';
import { SECOND_MS } from '../core/units.ts';

/** The network's hiccups, which are usually over a second later. */
const BRIEF_CODES = [
  ...['TRANSPORT_CONNECT_FAILED', 'TRANSPORT_NO_ANSWER'],
  ...['OUTBOUND_UNREACHABLE', 'OUTBOUND_NO_ANSWER', 'TRANSPORT_MEDIA_INTERRUPTED'],
];
const BRIEF_HTTP_STATUSES = [502, 503];

export interface BriefRetry {
  readonly firstDelayMs: number;
  /** No retry is begun later than this after the first try. */
  readonly totalMs: number;
}

const THREE_TRIES_IN_TEN_SECONDS: BriefRetry = { firstDelayMs: SECOND_MS, totalMs: 10 * SECOND_MS };

/**
 * Repeats a call that may be repeated without harm, at most twice, when the network hiccups. Whatever lasts longer is
 * the queue's business: nobody sleeps here while occupying a worker. Not for inits and token refreshes.
 */
export async function retryBriefly<T>(
  run: () => Promise<T>,
  { signal, times = THREE_TRIES_IN_TEN_SECONDS }: { signal?: AbortSignal | undefined; times?: BriefRetry | undefined },
): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await pRetry(run, {
      retries: 2,
      minTimeout: times.firstDelayMs,
      randomize: true,
      maxRetryTime: times.totalMs,
      signal,
      shouldRetry: ({ error }) => signal?.aborted !== true && isHiccup(error),
    });
  } catch (error) {
    // p-retry wraps reasons that are no errors.
    signal?.throwIfAborted();
    throw error;
  }
}

function isHiccup(error: Error): boolean {
  if (!(error instanceof PublishError)) return false;
  return BRIEF_CODES.includes(error.code) || BRIEF_HTTP_STATUSES.includes(error.details.httpStatus ?? 0);
}
