import type { Dispatcher } from 'undici';
import { PublishError } from '../core/publish-error.ts';
import { parseRetryAfterMs } from '../core/retry-after.ts';
import type { AllowList } from '../outbound/allow-list.ts';
import { checkOutboundUrl } from '../outbound/check-url.ts';
import { toOutboundError } from '../outbound/outbound-error.ts';
import { expiryOfPresignedUrl, saysExpired } from './presigned-url.ts';
import { answerInTime } from './remote-body.ts';

/** Share links and shorteners take four and more; browsers stop at twenty. */
const MAX_REDIRECTS = 10;
const REDIRECT_STATUSES = [301, 302, 303, 307, 308];
const REFUSED_STATUSES = [401, 403];
const GONE_STATUSES = [404, 410];
const BUSY_STATUSES = [408, 425, 429];
/** How much of a refusal is read to learn why. */
const MAX_REFUSAL_BYTES = 8_192;

/** How hosts are reached that a caller names. */
export interface Outbound {
  /** Connects to nothing but what may be reached, see `createOutboundAgent`. */
  readonly agent: Dispatcher;
  readonly allowed: AllowList;
}

/** Asks for the ranges of one URL. */
export type UrlRequest = ReturnType<typeof createUrlRequest>;

/**
 * GETs a URL that a caller named: each hop is checked, at most ten redirects are followed, and user and password go to
 * the origin they were written for only. What the URL redirects to is asked directly from then on, until that is refused:
 * redirects to presigned URLs are for a while only.
 *
 * @param refusesRedirects as TikTok does with what it downloads itself
 * @param stallMs longest time without a byte; all redirects together may take twice as long
 */
export function createUrlRequest(
  text: string,
  outbound: Outbound,
  stallMs: number,
  { refusesRedirects = false }: { readonly refusesRedirects?: boolean } = {},
) {
  const { url: named, authorization } = withoutCredentials(new URL(text));
  const name = named.host;
  let current = named;

  async function follow(from: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal) {
    let url = from;
    for (let redirects = 0; ; redirects += 1) {
      checkOutboundUrl(url, outbound.allowed);
      const credentials = url.origin === named.origin && authorization !== undefined ? { authorization } : {};
      const answer = await ask(url, { ...headers, ...credentials }, signal);
      if (!REDIRECT_STATUSES.includes(answer.statusCode)) return { url, answer };
      discard(answer);
      if (refusesRedirects) {
        const reason = `${name} responded with HTTP ${answer.statusCode}`;
        throw new PublishError('INPUT_PHOTO_REDIRECTS', { reason });
      }
      if (redirects === MAX_REDIRECTS) {
        throw new PublishError('INPUT_MEDIA_REDIRECTS', {
          reason: `${name} redirects more than ${MAX_REDIRECTS} times`,
        });
      }
      const next = targetOf(answer, url);
      if (next === undefined) {
        throw new PublishError('TRANSPORT_MEDIA_BAD_ANSWER', { reason: `${name} redirects without a target` });
      }
      url = next;
    }
  }

  async function ask(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal) {
    signal.throwIfAborted();
    const { origin, pathname, search } = url;
    const path = `${pathname}${search}`;
    const timeouts = { headersTimeout: stallMs, bodyTimeout: stallMs };
    try {
      return await outbound.agent.request({ origin, path, method: 'GET', headers, signal, ...timeouts });
    } catch (error) {
      signal.throwIfAborted();
      throw toOutboundError(error, url.host);
    }
  }

  async function get(headers: Readonly<Record<string, string>>, signal: AbortSignal) {
    let { url, answer } = await follow(current, headers, signal);
    if (current !== named && isRefusal(answer.statusCode)) {
      discard(answer);
      current = named;
      ({ url, answer } = await follow(named, headers, signal));
    }
    await refuseErrors(answer, url);
    current = url.href === named.href ? named : url;
    return answer;
  }

  return {
    /** The host that was named, for errors: paths and queries may be secret. */
    name,
    /**
     * The answer after redirects, whatever it says unless it is a refusal.
     * @param request ends with the reading of the answer's body, or ends it
     * @throws PublishError
     */
    async get(headers: Readonly<Record<string, string>>, request: AbortController) {
      const all = { 'user-agent': 'tiktok-publisher', accept: '*/*', 'accept-encoding': 'identity', ...headers };
      return await answerInTime(get(all, request.signal), { name, stallMs }, request);
    },
  };
}

/** Gives up a body that nobody needs, and its connection. */
export function discard({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => undefined).destroy();
}

function withoutCredentials(url: URL): { url: URL; authorization: string | undefined } {
  if (url.username === '' && url.password === '') return { url, authorization: undefined };
  const login = `${decoded(url.username)}:${decoded(url.password)}`;
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return { url: bare, authorization: `Basic ${Buffer.from(login).toString('base64')}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function targetOf({ headers }: Dispatcher.ResponseData, from: URL): URL | undefined {
  // Bytes beyond ASCII come as one character each; encoded, they are what curl sends and browsers mean.
  const location = firstValue(headers.location)?.replace(
    /[\x80-\xff]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return location !== undefined && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
}

function isRefusal(httpStatus: number): boolean {
  return REFUSED_STATUSES.includes(httpStatus) || GONE_STATUSES.includes(httpStatus);
}

/** Turns the errors of HTTP into ours; leaves 200, 206, 412 and 416 to who asked. */
async function refuseErrors(answer: Dispatcher.ResponseData, url: URL): Promise<void> {
  const { statusCode } = answer;
  if ([200, 206, 412, 416].includes(statusCode)) return;
  const text = await firstText(answer);
  const got = `${url.host} responded with HTTP ${statusCode}`;
  // Azure and S3 refuse with 403, some with 400.
  const isExpired = Date.now() >= (expiryOfPresignedUrl(url) ?? Number.POSITIVE_INFINITY) || saysExpired(text);
  if (isExpired && statusCode >= 400 && statusCode < 500 && !BUSY_STATUSES.includes(statusCode)) {
    throw new PublishError('INPUT_MEDIA_URL_EXPIRED', { reason: `the presigned URL has expired: ${got}` });
  }
  if (GONE_STATUSES.includes(statusCode)) throw new PublishError('INPUT_MEDIA_NOT_FOUND', { reason: got });
  if (statusCode >= 500 || BUSY_STATUSES.includes(statusCode)) {
    const retryAfterMs = parseRetryAfterMs(firstValue(answer.headers['retry-after']), Date.now());
    throw new PublishError('TRANSPORT_MEDIA_BUSY', {
      reason: got,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }
  if (statusCode >= 400) throw new PublishError('INPUT_MEDIA_ACCESS_REFUSED', { reason: got });
  throw new PublishError('TRANSPORT_MEDIA_BAD_ANSWER', { reason: got });
}

async function firstText({ body }: Dispatcher.ResponseData): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of body) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= MAX_REFUSAL_BYTES) break;
    }
  } catch {
    // Whatever came is enough: the status has said no.
  }
  return Buffer.concat(pieces).toString('latin1');
}

/** A header that must be one; proxies repeat some. */
export function firstValue(header: string | string[] | undefined): string | undefined {
  const [first, ...others] = new Set([header].flat());
  return others.length === 0 ? first : undefined;
}
