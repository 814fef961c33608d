import { Agent } from 'undici';
import { SECOND_MS } from '../core/units.ts';
import { classifyNetworkError } from './classify-error.ts';

const TIMEOUT_MS = 5 * SECOND_MS;

/** What answered at the address of the API; any status will do. */
export interface ReachedApi {
  readonly httpStatus: number;
  readonly durationMs: number;
}

/**
 * Asks the API's address for anything at all, without credentials.
 * @throws PublishError `TRANSPORT_NO_ANSWER` or `TRANSPORT_BAD_ANSWER`
 */
export async function reachApi(apiBaseUrl: string): Promise<ReachedApi> {
  const agent = new Agent({ connect: { timeout: TIMEOUT_MS } });
  const startedAt = performance.now();
  try {
    const { statusCode, body } = await agent.request({
      origin: new URL(apiBaseUrl).origin,
      path: '/',
      method: 'HEAD',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await body.dump();
    return { httpStatus: statusCode, durationMs: performance.now() - startedAt };
  } catch (error) {
    throw classifyNetworkError('reachability', error, 'TRANSPORT_NO_ANSWER');
  } finally {
    await agent.destroy();
  }
}
