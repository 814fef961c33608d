import { buildConnector } from 'undici';
import { SECOND_MS } from '../core/units.ts';
import { createProxiedAgent } from '../outbound/proxied-agent.ts';
import type { ProxySettings } from '../outbound/proxy-settings.ts';
import { classifyNetworkError } from './classify-error.ts';

const TIMEOUT_MS = 5 * SECOND_MS;

/** What answered at the address of the API; any status will do. */
export interface ReachedApi {
  readonly httpStatus: number;
  readonly durationMs: number;
  /** How far its clock is ahead of ours, known to the second; undefined if it does not tell the time. */
  readonly clockAheadMs: number | undefined;
}

/**
 * Asks the API's address for anything at all, without credentials.
 * @throws PublishError `TRANSPORT_NO_ANSWER` or `TRANSPORT_BAD_ANSWER`
 */
export async function reachApi(apiBaseUrl: string, now: () => number, proxy?: ProxySettings): Promise<ReachedApi> {
  const connect = buildConnector({ timeout: TIMEOUT_MS });
  const agent = createProxiedAgent({ connect, throughProxy: (tunnel) => tunnel, connectMs: TIMEOUT_MS, proxy });
  const startedAt = performance.now();
  const askedAt = now();
  try {
    const { statusCode, headers, body } = await agent.request({
      origin: new URL(apiBaseUrl).origin,
      path: '/',
      method: 'HEAD',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const clockAheadMs = clockAhead(headers.date, (askedAt + now()) / 2);
    await body.dump();
    return { httpStatus: statusCode, durationMs: performance.now() - startedAt, clockAheadMs };
  } catch (error) {
    throw classifyNetworkError('reachability', error, 'TRANSPORT_NO_ANSWER');
  } finally {
    await agent.destroy();
  }
}

/** A `Date` header names the second that has begun, so on average it is half a second late. */
function clockAhead(date: string | string[] | undefined, ourTimeAt: number): number | undefined {
  const theirTimeAt = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  return Number.isNaN(theirTimeAt) ? undefined : theirTimeAt + SECOND_MS / 2 - ourTimeAt;
}
