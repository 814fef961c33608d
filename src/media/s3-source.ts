import type { GetObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { parseAnsweredRange } from '../core/content-range.ts';
import type { MediaSource } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { SECOND_MS } from '../core/units.ts';
import { CONTAINER_PROBE_BYTES } from './container-type.ts';
import { readExactly, STALL_MS } from './remote-body.ts';
import {
  type ByteRange,
  createRemoteSource,
  isRange,
  keptMark,
  noRanges,
  type RemoteVideo,
  rangeHeader,
  refuseRemoteContainer,
  refuseRemoteSize,
} from './remote-source.ts';
import { toS3Error } from './s3-error.ts';

/** Where object storage is; what is left out, and the credentials, come from the AWS SDK's usual chain. */
export interface S3Settings {
  /** Of storage that is not of AWS: MinIO, R2, Garage, Ceph, Swift and their kin. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** Name the bucket in the path and not in the host. */
  readonly forcePathStyle?: boolean | undefined;
}

/** An object, in a version if it has to be that one. */
interface S3Object {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
}

/** Opens objects through one client, which is loaded and made when the first one is opened. */
export interface S3Opener {
  /**
   * Opens an object that is read by ranges, each on condition that its ETag is still the same.
   * @throws PublishError `INPUT_MEDIA_*`, `CONFIG_STORAGE_*`, `TRANSPORT_MEDIA_*`, `OUTBOUND_UNREACHABLE`
   */
  open(object: S3Object): Promise<MediaSource>;
  close(): void;
}

const CONNECT_MS = 10 * SECOND_MS;
/** One connection for each upload at a time, and as many as there may be uploads. */
const MAX_SOCKETS = 1_000;

/** Loads nothing yet. @param stallMs longest time without a byte (default 15 s) */
export function createS3Opener(settings: S3Settings, stallMs = STALL_MS): S3Opener {
  let loading: Promise<LoadedSdk> | undefined;
  return {
    async open(object) {
      loading ??= loadSdk(settings);
      return await openObject(await loading, object, stallMs);
    },
    close() {
      void loading?.then(({ client }) => client.destroy());
    },
  };
}

interface LoadedSdk {
  readonly client: S3Client;
  readonly getObject: (
    input: GetObjectCommandInput,
    signal: AbortSignal,
  ) => Promise<{ etag: string; contentRange: string | undefined; body: AsyncIterable<Uint8Array> }>;
}

/** 25 MB of code that only those need who use it. */
async function loadSdk({ endpoint, region, forcePathStyle }: S3Settings): Promise<LoadedSdk> {
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
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    },
  });
  return {
    client,
    async getObject(input, abortSignal) {
      const {
        ETag: etag,
        ContentRange: contentRange,
        Body: body,
      } = await client.send(new GetObjectCommand(input), { abortSignal });
      const name = nameOf({ bucket: input.Bucket ?? '', key: input.Key ?? '' });
      if (etag === undefined || body === undefined) throw noRanges(name, 'expected an ETag, got none');
      if (!isByteStream(body)) throw noRanges(name, 'expected a stream of bytes');
      return { etag, contentRange, body };
    },
  };
}

async function openObject({ getObject }: LoadedSdk, object: S3Object, stallMs: number): Promise<MediaSource> {
  const name = nameOf(object);
  const { bucket: Bucket, key: Key, versionId } = object;
  const target = { Bucket, Key, ...(versionId !== undefined && { VersionId: versionId }) };
  const opening = new AbortController();
  const abort = (reason: unknown): void => opening.abort(reason);
  const timer = setTimeout(() => abort(silent(name, stallMs)), 2 * stallMs);
  try {
    const first = { startByte: 0, endByteExclusive: CONTAINER_PROBE_BYTES };
    const { etag, contentRange, body } = await getObject({ ...target, Range: rangeHeader(first) }, opening.signal);
    const range = parseAnsweredRange(contentRange);
    if (range === undefined) throw noRanges(name, 'expected HTTP 206 to a range');
    const expected = { startByte: 0, endByteExclusive: Math.min(CONTAINER_PROBE_BYTES, range.totalBytes) };
    if (!isRange(range, expected)) throw otherRange(name);
    refuseRemoteSize(name, range.totalBytes);
    const firstBytes = await readExactly(body, { name, lengthBytes: range.endByteExclusive, stallMs, abort });
    const contentType = refuseRemoteContainer(name, firstBytes);
    const pin = { sizeBytes: range.totalBytes, version: keptMark(etag) };
    return createRemoteSource(pinnedObject({ name, pin, etag, target, stallMs, getObject }), contentType);
  } catch (error) {
    if (opening.signal.aborted) throw opening.signal.reason;
    throw isEmptyObject(error) ? emptyObject(name) : toS3Error(name, error);
  } finally {
    clearTimeout(timer);
    abort(new Error('opening the source was aborted'));
  }
}

interface PinnedObject extends Pick<RemoteVideo, 'name' | 'pin' | 'stallMs'>, Pick<LoadedSdk, 'getObject'> {
  readonly etag: string;
  readonly target: { readonly Bucket: string; readonly Key: string; readonly VersionId?: string };
}

function pinnedObject({ name, pin, etag, target, stallMs, getObject }: PinnedObject): RemoteVideo {
  async function fetch(range: ByteRange, request: AbortController): Promise<AsyncIterable<Uint8Array>> {
    const timer = setTimeout(() => request.abort(silent(name, stallMs)), 2 * stallMs);
    const input = { ...target, IfMatch: etag, Range: rangeHeader(range) };
    const answer = await getObject(input, request.signal).finally(() => clearTimeout(timer));
    const answered = parseAnsweredRange(answer.contentRange);
    if (answer.etag !== etag || (answered !== undefined && answered.totalBytes !== pin.sizeBytes)) {
      throw new PublishError('INPUT_MEDIA_CHANGED', { reason: `${name} has changed since the start of the job` });
    }
    if (!isRange(answered, range)) throw otherRange(name);
    return answer.body;
  }
  return {
    ...{ name, pin, stallMs, fetch },
    isPinStrong: true,
    explain: (error) => toS3Error(name, error),
    // An object is replaced as a whole: each answer is of the version that its head names.
    isCheckedAfterwards: false,
  };
}

function isByteStream(body: object): body is AsyncIterable<Uint8Array> {
  return Symbol.asyncIterator in body;
}

function nameOf({ bucket, key }: S3Object): string {
  return `s3://${bucket}/${key}`;
}

/** An object without bytes has no first one: S3 answers 416. */
function isEmptyObject(error: unknown): boolean {
  return error instanceof Error && error.name === 'InvalidRange';
}

function emptyObject(name: string): PublishError {
  return new PublishError('INPUT_MEDIA_EMPTY', { reason: `${name} is empty` });
}

function silent(name: string, stallMs: number): PublishError {
  return new PublishError('OUTBOUND_NO_ANSWER', { reason: `no response for ${name} within ${2 * stallMs} ms` });
}

function otherRange(name: string): PublishError {
  const reason = `expected the requested range of ${name}, got a different range or none`;
  return new PublishError('TRANSPORT_MEDIA_BAD_ANSWER', { reason });
}
