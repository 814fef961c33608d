import type { Readable } from 'node:stream';
import type { GetObjectCommandInput } from '@aws-sdk/client-s3';
import { buildConnector, type Dispatcher } from 'undici';
import { parseAnsweredRange } from '../core/content-range.ts';
import type { MediaKind, MediaSource } from '../core/ports.ts';
import { SECOND_MS } from '../core/units.ts';
import { createProxiedAgent, namingProxyFailures } from '../outbound/proxied-agent.ts';
import type { ProxySettings } from '../outbound/proxy-settings.ts';
import { answerInTime, STALL_MS } from './remote-body.ts';
import {
  type ByteRange,
  changed,
  expectRange,
  FIRST_BYTES,
  keptMark,
  noRanges,
  openRemoteSource,
  rangeHeader,
} from './remote-source.ts';
import { toS3Error } from './s3-error.ts';
import { refuseSize } from './source-checks.ts';

/** Where object storage is; what is left out, and the credentials, come from the AWS SDK's usual chain. */
export interface S3Settings {
  /** Of storage that is not of AWS: MinIO, R2, Garage, Ceph, Swift and their kin. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** Name the bucket in the path and not in the host. */
  readonly forcePathStyle?: boolean | undefined;
}

interface S3Access extends S3Settings {
  /** Proxies to go through; by default none. */
  readonly proxy?: ProxySettings | undefined;
}

/** An object, in a version if it has to be that one. */
interface S3Object {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
}

/** Opens objects through one client, which is loaded and made when the first one is opened. @internal */
export type S3Opener = ReturnType<typeof createS3Opener>;

/** Loads nothing yet. @param stallMs longest time without a byte (default 15 s) */
export function createS3Opener(settings: S3Access, stallMs = STALL_MS) {
  let loading: Promise<LoadedSdk> | undefined;
  return {
    /**
     * Opens an object that is read by ranges, each on condition that its ETag is still the same.
     * @throws PublishError `INPUT_MEDIA_*`, `CONFIG_STORAGE_*`, `TRANSPORT_MEDIA_*`, `OUTBOUND_UNREACHABLE`
     */
    async open(object: S3Object, kind: MediaKind = 'video'): Promise<MediaSource> {
      loading ??= loadSdk(settings);
      return await openObject(await loading, object, { stallMs, kind });
    },
    close(): void {
      void loading?.then(({ client }) => client.destroy());
    },
  };
}

type LoadedSdk = Awaited<ReturnType<typeof loadSdk>>;

/** 25 MB of code that only those need who use it. */
async function loadSdk({ endpoint, region, forcePathStyle, proxy }: S3Access) {
  const { GetObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client({
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(forcePathStyle !== undefined && { forcePathStyle }),
    // Retries are the queue's and retryBriefly's: one owner per time-scale.
    maxAttempts: 1,
    // Storage that is not of AWS refuses, or lacks, checksums that nobody asked for.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: createS3Requests(proxy),
  });
  return {
    client,
    async getObject(input: GetObjectCommandInput, abortSignal: AbortSignal) {
      const answer = await client.send(new GetObjectCommand(input), { abortSignal });
      const { ETag: etag, ContentRange: contentRange, Body: body } = answer;
      const name = nameOf({ bucket: input.Bucket ?? '', key: input.Key ?? '' });
      if (etag === undefined || body === undefined) throw noRanges(name, 'expected an ETag, got none');
      if (!isByteStream(body)) throw noRanges(name, 'expected a stream of bytes');
      return { etag, contentRange, body };
    },
  };
}

async function openObject(
  { getObject }: LoadedSdk,
  object: S3Object,
  { stallMs, kind }: { readonly stallMs: number; readonly kind: MediaKind },
): Promise<MediaSource> {
  const name = nameOf(object);
  const { bucket: Bucket, key: Key, versionId } = object;
  const target = { Bucket, Key, ...(versionId !== undefined && { VersionId: versionId }) };
  const server = { name, stallMs, kind, explain: (error: unknown) => toS3Error(name, error) };
  const get = async (range: ByteRange, request: AbortController, condition: { readonly IfMatch?: string } = {}) => {
    const answer = getObject({ ...target, ...condition, Range: rangeHeader(range) }, request.signal);
    return await answerInTime(answer, server, request);
  };

  return await openRemoteSource(server, async (opening) => {
    const { etag, contentRange, body } = await get(FIRST_BYTES, opening).catch((error: unknown) => {
      // An object without bytes has no first one: S3 answers 416.
      if (error instanceof Error && error.name === 'InvalidRange') refuseSize(name, 0);
      throw error;
    });
    if (parseAnsweredRange(contentRange) === undefined) throw noRanges(name, 'expected HTTP 206 to a range');
    const range = expectRange(name, contentRange, { asked: FIRST_BYTES });
    return {
      ...{ body, range, version: keptMark(etag), isPinStrong: true },
      // An object is replaced as a whole: each answer is of the version that its head names.
      isCheckedAfterwards: false,
      async fetch(asked, request) {
        const answer = await get(asked, request, { IfMatch: etag });
        if (answer.etag !== etag) throw changed(name);
        expectRange(name, answer.contentRange, { asked, sizeBytes: range.totalBytes });
        return answer.body;
      },
    };
  });
}

function isByteStream(body: object): body is AsyncIterable<Uint8Array> {
  return Symbol.asyncIterator in body;
}

function nameOf({ bucket, key }: S3Object): string {
  return `s3://${bucket}/${key}`;
}

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
function createS3Requests(proxy: ProxySettings | undefined) {
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
