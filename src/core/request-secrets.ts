import { z } from 'zod';
import { PublishError } from './publish-error.ts';
import type { NewRequest, PublishRequest } from './publish-request.ts';
import { MAX_REQUEST_DEPTH } from './request-depth.ts';

/** URLs of a request by the path of their field, such as `media.url`, `media.urls.3` or `media.items.0.url`. */
type RequestUrls = Readonly<Record<string, string>>;

/** Seals and opens the secret parts of requests, bound to the job they belong to. */
export interface RequestSecrets {
  /** The request as it may be stored: without secrets in the clear. One that holds none comes back as it is. */
  seal(request: PublishRequest, jobId: string): Promise<PublishRequest>;
  /**
   * The request with the URLs as they were given.
   * @throws PublishError `CONFIG_KEY_UNKNOWN` or `INTERNAL_TAMPERED`
   */
  open(request: PublishRequest, jobId: string): Promise<PublishRequest>;
}

/**
 * The URLs of a request that hold secrets: a user and password, or a query, in which object stores put signatures and
 * other services their tokens. Nobody can tell harmless queries from others, so all count.
 */
function secretUrlsOf(request: PublishRequest): RequestUrls {
  return Object.fromEntries(Object.entries(urlsOf(request)).filter(([, url]) => url !== withoutSecretParts(url)));
}

/** Whether a request must be sealed before it is stored. */
export function holdsSecrets(request: PublishRequest): boolean {
  return Object.keys(secretUrlsOf(request)).length > 0;
}

/** A URL as people may see it: without user, password, query and fragment. @internal */
export function withoutSecretParts(url: string): string {
  const shown = new URL(url);
  if (`${shown.username}${shown.password}${shown.search}${shown.hash}` === '') return url;
  shown.username = '';
  shown.password = '';
  shown.search = '';
  shown.hash = '';
  return shown.href;
}

/** A stored request as people may see it: without secrets, sealed or in the clear. */
export function withoutSecrets({ sealed: _sealed, ...request }: PublishRequest): NewRequest {
  const urls = Object.entries(urlsOf(request)).map(([path, url]) => [path, withoutSecretParts(url)]);
  return withUrls(request, Object.fromEntries(urls));
}

/** Whether a text, such as an idempotency key, holds a URL that may hold a secret. */
export function mayHoldSecretUrl(text: string): boolean {
  return text
    .split(/https?:\/\//i)
    .slice(1)
    .some((rest) => /^\S*?[@?#]/.test(rest));
}

/**
 * Any data without the secret parts of the URLs in it, for a request that nobody can read as one: what lies deeper than a
 * request may is left out.
 */
export function withoutSecretUrls(data: unknown, levelsLeft = MAX_REQUEST_DEPTH): unknown {
  if (typeof data === 'string') return /^\s{0,99}https?:/i.test(data) ? withoutSecretPartsOfText(data) : data;
  if (typeof data !== 'object' || data === null) return data;
  if (levelsLeft === 0) return null;
  if (Array.isArray(data)) return data.map((value) => withoutSecretUrls(value, levelsLeft - 1));
  const fields = Object.entries(data).map(([name, value]) => [name, withoutSecretUrls(value, levelsLeft - 1)]);
  return Object.fromEntries(fields);
}

function withoutSecretPartsOfText(text: string): string {
  if (URL.canParse(text)) return withoutSecretParts(text);
  const [shown = ''] = text.split(/[?#]/, 1);
  const from = shown.indexOf('//');
  const until = shown.lastIndexOf('@');
  return from === -1 || until < from ? shown : `${shown.slice(0, from + 2)}${shown.slice(until + 1)}`;
}

/** The request with these URLs in place of its own. */
function withUrls(request: PublishRequest, urls: RequestUrls): PublishRequest {
  const { media, callbackUrl } = request;
  const changed = { ...request };
  if (media.type === 'url' || media.type === 'pull') changed.media = { ...media, url: urls['media.url'] ?? media.url };
  if (media.type === 'photos') {
    changed.media = {
      ...media,
      ...(media.urls && { urls: media.urls.map((url, index) => urls[`media.urls.${index}`] ?? url) }),
      ...(media.items && {
        items: media.items.map((item, index) =>
          'url' in item ? { ...item, url: urls[`media.items.${index}.url`] ?? item.url } : item,
        ),
      }),
    };
  }
  if (callbackUrl !== undefined) changed.callbackUrl = urls.callbackUrl ?? callbackUrl;
  return changed;
}

/** The request with the secret parts of its URLs taken out and kept sealed beside. */
export async function withSealedUrls(
  request: PublishRequest,
  seal: (plaintext: string) => Promise<string>,
): Promise<PublishRequest> {
  const secret = secretUrlsOf(request);
  if (!holdsSecrets(request)) return request;
  const shown = Object.fromEntries(Object.entries(secret).map(([path, url]) => [path, withoutSecretParts(url)]));
  return { ...withUrls(request, shown), sealed: await seal(JSON.stringify(secret)) };
}

/** The reverse of {@link withSealedUrls}. @throws PublishError `INTERNAL_TAMPERED`, and what `open` throws */
export async function withOpenedUrls(
  request: PublishRequest,
  open: (sealed: string) => Promise<string>,
): Promise<PublishRequest> {
  const { sealed, ...rest } = request;
  if (sealed === undefined) return request;
  const urls = urlsSchema.safeParse(parseJson(await open(sealed)));
  if (urls.success) return withUrls(rest, urls.data);
  throw new PublishError('INTERNAL_TAMPERED', {
    reason: 'the encrypted URLs of the request were changed after they were stored',
  });
}

const urlsSchema = z.record(z.string(), z.url());

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function urlsOf({ media, callbackUrl }: PublishRequest): RequestUrls {
  const urls: Record<string, string> = {};
  if (media.type === 'url' || media.type === 'pull') urls['media.url'] = media.url;
  if (media.type === 'photos') {
    for (const [index, url] of (media.urls ?? []).entries()) urls[`media.urls.${index}`] = url;
    for (const [index, item] of (media.items ?? []).entries()) {
      if ('url' in item) urls[`media.items.${index}.url`] = item.url;
    }
  }
  if (callbackUrl !== undefined) urls.callbackUrl = callbackUrl;
  return urls;
}
