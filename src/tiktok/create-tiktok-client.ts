import { NO_TRACING, type Tracing } from '../core/tracing.ts';
import type { ProxySettings } from '../outbound/proxy-settings.ts';
import { createBandwidthLimit } from './limit-bandwidth.ts';
import { createOauthCalls } from './oauth-calls.ts';
import type { OnRequest } from './observe-request.ts';
import { createPostingCalls } from './posting-calls.ts';
import { putChunk } from './put-chunk.ts';
import type { BriefRetry } from './retry.ts';
import type { TikTokClient } from './tiktok-client.ts';
import { type CallDeps, createTransport, DEFAULT_TIMEOUTS, type TikTokTimeouts } from './transport.ts';

export interface TikTokClientOptions {
  /** Scheme, host and port, such as `https://open.tiktokapis.com`. */
  readonly apiBaseUrl: string;
  /** Those not given keep their defaults. */
  readonly timeouts?: Partial<TikTokTimeouts>;
  /** Told about every HTTP call once it is over; gets no secret. */
  readonly onRequest?: OnRequest;
  /** Runs every HTTP call in a span; gets no secret. */
  readonly tracing?: Tracing | undefined;
  /** Bytes per second that all uploads of this client take together; by default there is no limit. */
  readonly uploadMaxBytesPerSecond?: number | undefined;
  /** Proxies to go through; by default none. */
  readonly proxy?: ProxySettings | undefined;
  /** Times of the brief retries of status and creator info; three tries in ten seconds by default. */
  readonly briefRetry?: BriefRetry;
}

/**
 * A client of TikTok's Content Posting API; opens connections as calls need them.
 * @throws TypeError when `apiBaseUrl` is no URL
 */
export function createTikTokClient(options: TikTokClientOptions): TikTokClient {
  const transport = createTransport({ ...DEFAULT_TIMEOUTS, ...options.timeouts }, options.proxy);
  const deps: CallDeps = {
    transport,
    apiBaseUrl: new URL(options.apiBaseUrl),
    onRequest: options.onRequest ?? (() => undefined),
    tracing: options.tracing ?? NO_TRACING,
    briefRetry: options.briefRetry,
  };
  const { uploadMaxBytesPerSecond } = options;
  const limit = uploadMaxBytesPerSecond === undefined ? undefined : createBandwidthLimit(uploadMaxBytesPerSecond);
  return {
    ...createPostingCalls(deps),
    ...createOauthCalls(deps),
    putChunk: (input) => putChunk(deps, limit === undefined ? input : { ...input, body: () => limit(input.body()) }),
    close: () => transport.close(),
  };
}
