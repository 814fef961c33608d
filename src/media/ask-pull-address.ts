import { PULL_PATH } from '../core/media-route.ts';
import { SECOND_MS } from '../core/units.ts';
import { parseAllowList } from '../outbound/allow-list.ts';
import { createOutboundAgent } from '../outbound/outbound-agent.ts';
import { toOutboundError } from '../outbound/outbound-error.ts';
import type { ProxySettings } from '../outbound/proxy-settings.ts';

/** Long enough for a server that is there. */
const TIMEOUT_MS = 5 * SECOND_MS;

/**
 * Asks for something below the address from which TikTok downloads media, as TikTok would: no redirect is followed.
 * @param range of bytes, such as `bytes=0-3`
 * @throws PublishError `OUTBOUND_*`
 */
export async function askPullAddress(
  baseUrl: string,
  name: string,
  { range, proxy }: { readonly range?: string; readonly proxy?: ProxySettings | undefined } = {},
): Promise<{ readonly httpStatus: number; readonly text: string }> {
  const { origin, pathname, host, hostname } = new URL(`${baseUrl}${PULL_PATH}/${name}`);
  // Whether the address is public is not asked: inside of a network its name often leads to a private one.
  const agent = createOutboundAgent({ allowed: parseAllowList([hostname]), proxy });
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const headers = { 'user-agent': 'tiktok-publisher', ...(range !== undefined && { range }) };
    const { statusCode, body } = await agent.request({ origin, path: pathname, method: 'GET', headers, signal });
    return { httpStatus: statusCode, text: await body.text() };
  } catch (error) {
    throw toOutboundError(error, host);
  } finally {
    await agent.destroy();
  }
}
