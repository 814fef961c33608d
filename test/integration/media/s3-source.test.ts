import { createHash, randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ErrorCode } from '../../../src/core/error-table.ts';
import type { MediaSource } from '../../../src/core/ports.ts';
import { createS3Opener, type S3Opener } from '../../../src/media/s3-source.ts';
import {
  type HostileMediaServer,
  type Misbehaviour,
  startHostileMediaServer,
} from '../../support/hostile-media-server.ts';
import { rejection } from '../../support/rejection.ts';
import { createBucket } from '../../support/s3-bucket.ts';
import { hasSwift, SWIFT_CREDENTIALS, type SwiftServer, startSwift } from '../../support/swift-server.ts';

const MP4_START = Buffer.from('0000001c667479706d703432000000006d70343269736f6d61766331', 'hex');
const makeBytes = (): Buffer => Buffer.concat([MP4_START, randomBytes(2_000_000)]);
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function bytesOf(source: MediaSource, start: number, end: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source.read(start, end)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The SDK takes its credentials from the environment, as in production. */
function useCredentials({ accessKeyId, secretAccessKey }: typeof SWIFT_CREDENTIALS): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
}

beforeEach(() => {
  useCredentials(SWIFT_CREDENTIALS);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

// OpenStack Swift is a real S3-compatible server that Debian has packages of: it checks signatures and conditions.
describe.skipIf(!hasSwift())('an object in S3-compatible storage (needs Swift: apt-get install swift-proxy …)', () => {
  let swift: SwiftServer;
  let bucket: Awaited<ReturnType<typeof createBucket>>;
  let objects: S3Opener;
  const video = makeBytes();

  beforeAll(async () => {
    swift = await startSwift();
    bucket = await createBucket(swift, 'videos');
    await bucket.put('a.mp4', video);
    objects = createS3Opener({ endpoint: swift.endpoint, region: swift.region, forcePathStyle: true });
  });

  afterAll(async () => {
    objects.close();
    bucket.close();
    await swift.close();
  });

  it('is read by ranges of the version it was opened in', async () => {
    const source = await objects.open({ bucket: 'videos', key: 'a.mp4' });
    const etag = `"${createHash('md5').update(video).digest('hex')}"`;
    expect(source).toMatchObject({ pin: { sizeBytes: video.length, version: etag }, isPinStrong: true });
    expect(digest(await bytesOf(source, 0, video.length))).toBe(digest(video));
    expect(digest(await bytesOf(source, 1_234, 99_999))).toBe(digest(video.subarray(1_234, 99_999)));
    await source.verifyUnchanged();
    await source.close();
  });

  it('that is replaced is noticed before a byte of the new one is given', async () => {
    await bucket.put('replaced.mp4', makeBytes());
    const source = await objects.open({ bucket: 'videos', key: 'replaced.mp4' });
    await bytesOf(source, 0, 1_000);
    await bucket.put('replaced.mp4', makeBytes());
    const error = await rejection(source.read(1_000, 2_000).next());
    expect(error).toMatchObject({ code: 'INPUT_MEDIA_CHANGED' });
    expect(error.message).toContain('s3://videos/replaced.mp4');
    await source.close();
  });

  it('is read in the version that is asked for, whatever came after', async () => {
    const versions = await createBucket(swift, 'versions');
    await versions.keepVersions();
    const versionId = await versions.put('a.mp4', video);
    await versions.put('a.mp4', makeBytes());
    const source = await objects.open({ bucket: 'versions', key: 'a.mp4', versionId });
    expect(digest(await bytesOf(source, 0, video.length))).toBe(digest(video));
    await source.close();
    versions.close();
  });

  it.each<[what: string, object: { bucket: string; key: string }, code: ErrorCode]>([
    ['key', { bucket: 'videos', key: 'none.mp4' }, 'INPUT_MEDIA_NOT_FOUND'],
    ['bucket', { bucket: 'none', key: 'a.mp4' }, 'INPUT_MEDIA_NOT_FOUND'],
  ])('of an unknown %s is named so', async (_what, object, code) => {
    const error = await rejection(objects.open(object));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(`s3://${object.bucket}/${object.key}`);
  });

  it.each([
    ['is empty', Buffer.alloc(0), 'INPUT_MEDIA_EMPTY'],
    ['is no video', Buffer.from('just words, and more of them'), 'INPUT_MEDIA_CONTAINER_UNSUPPORTED'],
  ])('that %s is refused', async (_what, body, code) => {
    await bucket.put('bad.mp4', body);
    expect(await rejection(objects.open({ bucket: 'videos', key: 'bad.mp4' }))).toMatchObject({ code });
  });

  it('asked for with a wrong secret names the credentials, without showing them', async () => {
    useCredentials({ ...SWIFT_CREDENTIALS, secretAccessKey: 'a-wrong-secret' });
    const others = createS3Opener({ endpoint: swift.endpoint, region: swift.region, forcePathStyle: true });
    const error = await rejection(others.open({ bucket: 'videos', key: 'a.mp4' }));
    expect(error).toMatchObject({ code: 'CONFIG_STORAGE_CREDENTIALS' });
    expect(`${error.message} ${error.stack}`).not.toMatch(/a-wrong-secret|test:tester/);
    others.close();
  });

  it('asked for with another region names the region', async () => {
    const others = createS3Opener({ endpoint: swift.endpoint, region: 'eu-central-1', forcePathStyle: true });
    const error = await rejection(others.open({ bucket: 'videos', key: 'a.mp4' }));
    expect(error).toMatchObject({ code: 'CONFIG_STORAGE_REGION' });
    others.close();
  });
});

/** Opens an object at a server that answers as told. */
async function openAt(answer: (response: ServerResponse) => void, stallMs?: number) {
  const server = createServer((_request, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const objects = createS3Opener({ endpoint: `http://127.0.0.1:${port}`, region: 'x', forcePathStyle: true }, stallMs);
  try {
    return await rejection(objects.open({ bucket: 'b', key: 'k.mp4' }));
  } finally {
    objects.close();
    server.closeAllConnections();
    server.close();
  }
}

const xml = (status: number, code: string) => (response: ServerResponse) =>
  void response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>m</Message></Error>`);

describe('object storage that answers as any server may', () => {
  const video = Buffer.concat([MP4_START, randomBytes(3_000_000)]);
  let server: HostileMediaServer;
  let objects: S3Opener;

  beforeAll(async () => {
    server = await startHostileMediaServer(video);
    objects = createS3Opener({ endpoint: server.origin, region: 'x', forcePathStyle: true }, 400);
  });

  afterAll(async () => {
    objects.close();
    await server.close();
  });

  it('is asked for ranges on condition of its ETag, over one connection', async () => {
    const before = server.connections();
    const source = await objects.open({ bucket: 'honest', key: 'a.mp4' });
    for (const [start, end] of [
      [0, 1_000_000],
      [1_000_000, 2_000_000],
      [2_000_000, video.length],
    ] as const) {
      expect(digest(await bytesOf(source, start, end))).toBe(digest(video.subarray(start, end)));
      await source.verifyUnchanged();
    }
    await source.close();
    expect(server.asked.map(({ range, headers }) => [range, headers['if-match']])).toEqual([
      ['bytes=0-4095', undefined],
      ['bytes=0-999999', '"1"'],
      ['bytes=1000000-1999999', '"1"'],
      [`bytes=2000000-${video.length - 1}`, '"1"'],
    ]);
    expect(server.connections() - before).toBe(1);
  });

  it.each<[Misbehaviour, ErrorCode]>([
    ['ignores-range-later', 'TRANSPORT_MEDIA_BAD_ANSWER'],
    ['other-range', 'TRANSPORT_MEDIA_BAD_ANSWER'],
    ['lies-later', 'INPUT_MEDIA_CHANGED'],
    ['chunked-short', 'TRANSPORT_MEDIA_INTERRUPTED'],
    ['chunked-long', 'TRANSPORT_MEDIA_BAD_ANSWER'],
    ['endless', 'TRANSPORT_MEDIA_BAD_ANSWER'],
    ['drip', 'TRANSPORT_MEDIA_INTERRUPTED'],
    ['stops', 'TRANSPORT_MEDIA_INTERRUPTED'],
    ['silent', 'OUTBOUND_NO_ANSWER'],
    ['resets-always', 'TRANSPORT_MEDIA_INTERRUPTED'],
    ['unmarked-later', 'INPUT_MEDIA_NO_RANGES'],
  ])('(%s) is named %s, and never gives a whole range', async (name, code) => {
    const source = await objects.open({ bucket: name, key: 'a.mp4' });
    let givenBytes = 0;
    const reading = async () => {
      for await (const piece of source.read(0, 1_000_000)) givenBytes += piece.byteLength;
    };
    expect(await rejection(reading())).toMatchObject({ code });
    expect(givenBytes).toBeLessThan(1_000_000);
    await source.close();
  });

  it.each<[Misbehaviour]>([['changes-midway'], ['changes-size-midway'], ['shrinks-midway']])(
    'and changes the object (%s) is noticed before a byte of it is given, though it ignores the condition',
    async (name) => {
      const source = await objects.open({ bucket: name, key: 'b.mp4' });
      await bytesOf(source, 0, 1_000_000);
      expect(await rejection(source.read(1_000_000, 2_000_000).next())).toMatchObject({ code: 'INPUT_MEDIA_CHANGED' });
      await source.close();
    },
  );
});

describe('a refusal of object storage', () => {
  it.each<[status: number, code: string, named: ErrorCode]>([
    [403, 'AccessDenied', 'INPUT_MEDIA_ACCESS_REFUSED'],
    [403, 'InvalidObjectState', 'INPUT_MEDIA_ACCESS_REFUSED'],
    [400, 'ExpiredToken', 'CONFIG_STORAGE_CREDENTIALS'],
    [403, 'InvalidAccessKeyId', 'CONFIG_STORAGE_CREDENTIALS'],
    [403, 'RequestTimeTooSkewed', 'CONFIG_STORAGE_CREDENTIALS'],
    [301, 'PermanentRedirect', 'CONFIG_STORAGE_REGION'],
    [400, 'AuthorizationHeaderMalformed', 'CONFIG_STORAGE_REGION'],
    [503, 'SlowDown', 'TRANSPORT_MEDIA_BUSY'],
    [500, 'InternalError', 'TRANSPORT_MEDIA_BUSY'],
    [502, 'Whatever', 'TRANSPORT_MEDIA_BUSY'],
    [404, 'Whatever', 'INPUT_MEDIA_NOT_FOUND'],
    [418, '<script>', 'INPUT_MEDIA_ACCESS_REFUSED'],
  ])('(%d %s) is named %s', async (status, code, named) => {
    expect(await openAt(xml(status, code))).toMatchObject({ code: named });
  });

  it('that ignores ranges, or says nothing of a version, is named so', async () => {
    const whole = (response: ServerResponse) => void response.writeHead(200, { etag: '"1"' }).end(makeBytes());
    expect(await openAt(whole)).toMatchObject({ code: 'INPUT_MEDIA_NO_RANGES' });
    const unmarked = (response: ServerResponse) =>
      void response.writeHead(206, { 'content-range': 'bytes 0-4095/9999' }).end(makeBytes().subarray(0, 4_096));
    expect(await openAt(unmarked)).toMatchObject({ code: 'INPUT_MEDIA_NO_RANGES' });
  });

  it('that is silence, or broken off, is named so', async () => {
    expect(await openAt(() => undefined, 200)).toMatchObject({ code: 'OUTBOUND_NO_ANSWER' });
    expect(await openAt((response) => response.destroy())).toMatchObject({ code: 'TRANSPORT_MEDIA_INTERRUPTED' });
    const stopping = (response: ServerResponse) =>
      void response.writeHead(206, { 'content-range': 'bytes 0-4095/9999', etag: '"1"' }).write(MP4_START);
    expect(await openAt(stopping, 200)).toMatchObject({ code: 'TRANSPORT_MEDIA_INTERRUPTED' });
  });

  it('at a port where nobody listens is named unreachable', async () => {
    const objects = createS3Opener({ endpoint: 'http://127.0.0.1:1', region: 'x', forcePathStyle: true });
    const error = await rejection(objects.open({ bucket: 'b', key: 'k.mp4' }));
    expect(error).toMatchObject({ code: 'OUTBOUND_UNREACHABLE' });
    objects.close();
  });

  it('to sign without credentials is named so', async () => {
    vi.unstubAllEnvs();
    vi.stubEnv('AWS_ACCESS_KEY_ID', '');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', '');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('HOME', '/nonexistent');
    expect(await openAt(xml(200, ''))).toMatchObject({ code: 'CONFIG_STORAGE_CREDENTIALS' });
  });
});
