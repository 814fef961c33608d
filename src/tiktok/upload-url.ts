import { PublishError } from '../core/publish-error.ts';

const UPLOAD_DOMAIN = '.tiktokapis.com';

/**
 * Parses an upload URL if a file may be sent there: https on a host of tiktokapis.com, or the API's own host and port.
 * The URL itself is a credential, so errors name its host only.
 *
 * @throws PublishError `UPLOAD_URL_REFUSED`
 */
export function parseUploadUrl(uploadUrl: string, apiBaseUrl: URL): URL {
  const url = URL.canParse(uploadUrl) ? new URL(uploadUrl) : undefined;
  if (url === undefined) throw new PublishError('UPLOAD_URL_REFUSED', { reason: 'expected an upload URL, got no URL' });
  const hasLogin = url.username !== '' || url.password !== '';
  const isTikTok = url.protocol === 'https:' && url.hostname.endsWith(UPLOAD_DOMAIN);
  // An origin is scheme, host and port: a host that serves the API over https gets no file in the clear.
  if (!hasLogin && (isTikTok || url.origin === apiBaseUrl.origin)) return url;
  throw new PublishError('UPLOAD_URL_REFUSED', {
    reason: `expected an https upload URL on *${UPLOAD_DOMAIN} or on ${apiBaseUrl.host}, got ${url.protocol}//${url.host}`,
  });
}
