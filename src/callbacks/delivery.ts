import type { Dispatcher } from 'undici';
import { withDeadline } from '../core/deadline.ts';
import type { Clock } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import type { PublishEvent } from '../core/publish-event.ts';
import { parseRetryAfterMs } from '../core/retry-after.ts';
import type { AllowList } from '../outbound/allow-list.ts';
import { checkOutboundUrl } from '../outbound/check-url.ts';
import { toOutboundError } from '../outbound/outbound-error.ts';
import type { CallbackSigner } from './signer.ts';

/** Of an answer only the status counts; this much of its body is read, so that the connection can be kept. */
const MAX_ANSWER_BYTES = 4_096;
const USER_AGENT = 'tiktok-publisher';
const GONE = 410;

export interface DeliveryDeps {
  readonly agent: Dispatcher;
  readonly allowed: AllowList;
  readonly signer: CallbackSigner;
  readonly clock: Clock;
  /** What an event is called by, without its charset. */
  readonly contentType: string;
  /** Longest time of one delivery, from the name's resolution to the end of the answer. */
  readonly timeoutMs: number;
}

export interface DeliveryOutcome {
  readonly durationMs: number;
  /** The receiver's status, if it answered. */
  readonly status: number | undefined;
  readonly error: PublishError | undefined;
}

/**
 * POSTs an event to a callback URL. Only 2xx means delivered; a redirect is not followed.
 * @param signal rejects the call with its reason, and nothing is known of the delivery
 */
export async function deliverEvent(
  event: PublishEvent,
  callbackUrl: string,
  deps: DeliveryDeps,
  signal: AbortSignal,
): Promise<DeliveryOutcome> {
  const url = new URL(callbackUrl);
  const begunAt = performance.now();
  const outcome = (status: number | undefined, error: PublishError | undefined): DeliveryOutcome => ({
    durationMs: Math.round(performance.now() - begunAt),
    status,
    error,
  });
  try {
    checkOutboundUrl(url, deps.allowed);
    const { status, retryAfterMs } = await withDeadline(
      { withinMs: deps.timeoutMs, signal, reason: () => new DOMException('no answer in time', 'TimeoutError') },
      (inTime) => post(event, url, deps, inTime),
    );
    return outcome(status, refusalOf(status, url.host, retryAfterMs));
  } catch (error) {
    signal.throwIfAborted();
    return outcome(undefined, toOutboundError(error, url.host));
  }
}

async function post(
  event: PublishEvent,
  { origin, pathname, search }: URL,
  { agent, clock, contentType, signer }: Omit<DeliveryDeps, 'allowed' | 'timeoutMs'>,
  signal: AbortSignal,
): Promise<{ status: number; retryAfterMs: number | undefined }> {
  const body = JSON.stringify(event);
  const now = clock.now();
  const answer = await agent.request({
    origin,
    path: `${pathname}${search}`,
    method: 'POST',
    headers: {
      ...{ 'user-agent': USER_AGENT, 'content-type': `${contentType}; charset=utf-8` },
      ...signer.sign(event.id, body, now),
    },
    body,
    signal,
  });
  // What follows the status takes nothing from it, be it endless or broken.
  await answer.body.dump({ limit: MAX_ANSWER_BYTES, signal }).catch(() => undefined);
  const header = answer.headers['retry-after'];
  const retryAfterMs = parseRetryAfterMs(Array.isArray(header) ? header[0] : header, now);
  return { status: answer.statusCode, retryAfterMs };
}

function refusalOf(status: number, host: string, retryAfterMs: number | undefined): PublishError | undefined {
  if (status >= 200 && status < 300) return undefined;
  const details = { httpStatus: status, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  if (status === GONE) return new PublishError('CALLBACK_GONE', { ...details, reason: `${host} responded with 410` });
  if (status >= 300 && status < 400) {
    const reason = `${host} responded with ${status}; redirects are not followed`;
    return new PublishError('CALLBACK_REDIRECTED', { ...details, reason });
  }
  return new PublishError('CALLBACK_REFUSED', { ...details, reason: `${host} responded with ${status}` });
}
