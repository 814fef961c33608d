import type { GetObjectCommandInput } from '@aws-sdk/client-s3';
import { parseAnsweredRange } from '../core/content-range.ts';
import type { MediaKind, MediaSource } from '../core/ports.ts';
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
import { createS3Requests } from './s3-requests.ts';
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
