import type { Readable } from 'node:stream';
import { buildConnector, type Dispatcher } from 'undici';
import { SECOND_MS } from '../core/units.ts';
import { createProxiedAgent, namingProxyFailures } from '../outbound/proxied-agent.ts';
import type { ProxySettings } from '../outbound/proxy-settings.ts';

/** A request as the SDK hands it to what sends it (`HttpHandler` of `@smithy/types`). */
interface SdkRequest {
  readonly method: string;
  /** With a colon at its end. */
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array | Readable;
}

const CONNECT_MS = 10 * SECOND_MS;

/**
 * Sends the requests of the AWS SDK through the proxies of the settings, which its own handler cannot. Times without a
 * byte are limited by those who wait for them. @param proxy by default none
 */
export function createS3Requests(proxy: ProxySettings | undefined) {
  const agent = createProxiedAgent({
    ...{ proxy, connectMs: CONNECT_MS, headersTimeout: 0, bodyTimeout: 0 },
    connect: buildConnector({ timeout: CONNECT_MS }),
    throughProxy: namingProxyFailures,
  });
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request: SdkRequest, { abortSignal }: { readonly abortSignal?: AbortSignal } = {}) {
      const { statusCode, headers, body } = await agent.request({
        origin: originOf(request),
        path: `${request.path}${queryOf(request)}`,
        method: request.method as Dispatcher.HttpMethod,
        headers: request.headers,
        ...(request.body !== undefined && { body: request.body }),
        ...(abortSignal !== undefined && { signal: abortSignal }),
      });
      return { response: { statusCode, headers: flat(headers), body } };
    },
    destroy: () => void agent.destroy(),
    // It has no settings that the SDK could change.
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  };
}

function originOf({ protocol, hostname, port }: SdkRequest): string {
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}

function queryOf({ query = {} }: SdkRequest): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => [value].flat().map((one) => [name, one ?? '']));
  return pairs.length === 0 ? '' : `?${pairs.map((pair) => pair.map(encoded).join('=')).join('&')}`;
}

/** As signatures demand it: "URI encode every byte except the unreserved characters" (SigV4, read 2026-11-29). */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

function flat(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]));
}
