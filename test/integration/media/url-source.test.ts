import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/core/error-table.ts';
import type { MediaSource } from '../../../src/core/ports.ts';
import { openUrlSource } from '../../../src/media/url-source.ts';
import { parseAllowList } from '../../../src/outbound/allow-list.ts';
import { createOutboundAgent } from '../../../src/outbound/outbound-agent.ts';
import {
  type HostileMediaServer,
  type Misbehaviour,
  startHostileMediaServer,
} from '../../support/hostile-media-server.ts';
import { rejection } from '../../support/rejection.ts';

const MP4_START = Buffer.from('0000001c667479706d703432000000006d70343269736f6d61766331', 'hex');
const video = Buffer.concat([MP4_START, randomBytes(3_000_000)]);
const STALL_MS = 400;
let server: HostileMediaServer;
let outbound: Parameters<typeof openUrlSource>[1]['outbound'];

beforeAll(async () => {
  server = await startHostileMediaServer(video);
  const allowed = parseAllowList(server.allowHosts);
  outbound = { agent: createOutboundAgent({ allowed }), allowed };
});

afterAll(async () => {
  await outbound.agent.destroy();
  await server.close();
});

const open = (name: Misbehaviour, file?: string): Promise<MediaSource> =>
  openUrlSource(server.url(name, file), { outbound, stallMs: STALL_MS });

async function bytesOf(source: MediaSource, start: number, end: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source.read(start, end)) pieces.push(piece);
  return Buffer.concat(pieces);
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('a URL that is served by ranges', () => {
  it('is read by ranges, over one connection, with the pin as the condition', async () => {
    const before = server.connections();
    const source = await open('honest', 'one-connection.mp4');
    expect(source).toMatchObject({ pin: { sizeBytes: video.length, version: '"1"' }, contentType: 'video/mp4' });
    expect(source.isPinStrong).toBe(true);
    for (let start = 0; start < video.length; start += 1_000_000) {
      const end = Math.min(start + 1_000_000, video.length);
      expect(digest(await bytesOf(source, start, end))).toBe(digest(video.subarray(start, end)));
      await source.verifyUnchanged();
    }
    await source.close();
    const asked = server.asked.filter(({ path }) => path.endsWith('one-connection.mp4'));
    expect(asked.slice(0, 3).map(({ range }) => range)).toEqual(['bytes=0-4095', 'bytes=0-999999', 'bytes=0-0']);
    expect(asked[1]?.headers).toMatchObject({ 'if-range': '"1"', 'accept-encoding': 'identity' });
    expect(server.connections() - before).toBeLessThanOrEqual(1);
  });

  it.each(['chunked', 'weak', 'modified-only', 'to-honest'] as const)('(%s) gives the same bytes', async (name) => {
    const source = await open(name);
    expect(digest(await bytesOf(source, 0, video.length))).toBe(digest(video));
    await source.verifyUnchanged();
    expect(source.isPinStrong).toBe(name === 'chunked' || name === 'to-honest');
    await source.close();
  });

  it('is found at the end of ten redirects, and not of eleven', async () => {
    const source = await open('in-a-chain', '10');
    expect(digest(await bytesOf(source, 0, 9_000))).toBe(digest(video.subarray(0, 9_000)));
    await source.close();
    expect(await rejection(open('in-a-chain', '11'))).toMatchObject({
      ...{ code: 'INPUT_MEDIA_REDIRECTS', row: { verdict: 'give_up' } },
      message: expect.stringContaining('more than 10 times'),
    });
  });

  it.concurrent.each(['whole-once', 'missing-once', 'forbidden-once', 'page-once', 'other-version-once'] as const)(
    'is asked again for an answer that passes (%s)',
    async (name) => {
      const source = await open(name);
      expect(digest(await bytesOf(source, 0, 1_000_000))).toBe(digest(video.subarray(0, 1_000_000)));
      await source.verifyUnchanged();
      await source.close();
    },
  );

  it.each(['odd-encoding', 'odd-range', 'twice-all', 'many-headers', 'odd-etag', 'to-accents'] as const)(
    '(%s) is read as curl and browsers read it',
    async (name) => {
      const source = await open(name);
      expect(digest(await bytesOf(source, 0, 1_000_000))).toBe(digest(video.subarray(0, 1_000_000)));
      await source.verifyUnchanged();
      await source.close();
    },
  );

  it('asks directly where it was redirected to', async () => {
    const source = await open('to-honest', 'direct.mp4');
    await bytesOf(source, 0, 10_000);
    expect(server.asked.filter(({ path }) => path === '/to-honest/direct.mp4')).toHaveLength(1);
    await source.close();
  });

  it('encodes what a redirect names beyond ASCII', async () => {
    const source = await open('to-accents');
    await source.close();
    expect(server.asked.map(({ path }) => path)).toContain('/honest/caf%C3%A9%20%E2%98%83.mp4');
  });

  it('sends user and password as a header, to the origin of the URL', async () => {
    const url = server.url('wants-login').replace('//', '//ann:p%40ss@');
    const source = await openUrlSource(url, { outbound, stallMs: STALL_MS });
    expect(digest(await bytesOf(source, 10, 90_000))).toBe(digest(video.subarray(10, 90_000)));
    await source.close();
  });

  it('sends them to no other origin', async () => {
    const url = server.url('to-localhost', 'elsewhere.mp4').replace('//', '//ann:p%40ss@');
    const source = await openUrlSource(url, { outbound, stallMs: STALL_MS });
    expect(digest(await bytesOf(source, 0, 9_000))).toBe(digest(video.subarray(0, 9_000)));
    await source.close();
    const logins = server.asked
      .filter(({ path }) => path.endsWith('elsewhere.mp4'))
      .map(({ path, headers }) => [path.split('/')[1], headers.authorization !== undefined]);
    expect(logins).toEqual([
      ['to-localhost', true],
      ['honest', false],
      ['honest', false],
    ]);
  });

  it('ends a read that is under way when it is closed', async () => {
    const source = await open('stops');
    const read = source.read(0, 1_000_000);
    await read.next();
    const rest = (async () => {
      for await (const _ of read);
    })();
    await source.close();
    await expect(rest).rejects.toThrow('the source is closed');
  });

  it('ends a read that is under way when another one begins', async () => {
    const source = await open('honest');
    const first = source.read(0, 2_000_000);
    await first.next();
    expect(digest(await bytesOf(source, 100, 5_000))).toBe(digest(video.subarray(100, 5_000)));
    await expect(
      (async () => {
        for await (const _ of first);
      })(),
    ).rejects.toThrow('another read');
    await source.close();
  });
});

describe('a URL that cannot be opened', () => {
  it.concurrent.each<[Misbehaviour, ErrorCode]>([
    ['ignores-range', 'INPUT_MEDIA_NO_RANGES'],
    ['size-unknown', 'TRANSPORT_MEDIA_BAD_ANSWER'],
    ['gzip', 'INPUT_MEDIA_NO_RANGES'],
    ['unmarked', 'INPUT_MEDIA_NO_RANGES'],
    ['endless-at-once', 'TRANSPORT_MEDIA_BAD_ANSWER'],
    ['silent-at-once', 'OUTBOUND_NO_ANSWER'],
    ['to-loopback', 'OUTBOUND_HOST_REFUSED'],
    ['to-metadata', 'OUTBOUND_URL_REFUSED'],
    ['to-metadata-tls', 'OUTBOUND_HOST_REFUSED'],
    ['to-login', 'OUTBOUND_URL_REFUSED'],
    ['in-circles', 'INPUT_MEDIA_REDIRECTS'],
    ['share-link', 'INPUT_MEDIA_WEB_PAGE'],
    ['to-nowhere', 'TRANSPORT_MEDIA_BAD_ANSWER'],
    ['unauthorized', 'INPUT_MEDIA_ACCESS_REFUSED'],
    ['forbidden', 'INPUT_MEDIA_ACCESS_REFUSED'],
    ['expired', 'INPUT_MEDIA_URL_EXPIRED'],
    ['missing', 'INPUT_MEDIA_NOT_FOUND'],
    ['gone', 'INPUT_MEDIA_NOT_FOUND'],
    ['page', 'INPUT_MEDIA_WEB_PAGE'],
    ['empty', 'INPUT_MEDIA_EMPTY'],
    ['too-large', 'INPUT_MEDIA_TOO_LARGE'],
    ['busy', 'TRANSPORT_MEDIA_BUSY'],
    ['throttles', 'TRANSPORT_MEDIA_BUSY'],
    ['broken', 'TRANSPORT_MEDIA_BUSY'],
  ])('because it is %s is named %s, without path, query and login', async (name, code) => {
    const url = `${server.url(name, 'secret-path.mp4')}?token=secret-query`.replace('//', '//u:secret-login@');
    const error = await rejection(openUrlSource(url, { outbound, stallMs: STALL_MS }));
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(/127\.0\.0\.1|169\.254/);
    expect(error.message).not.toContain('secret');
  });

  it('says that a presigned URL has expired, by its own word', async () => {
    const signed = '?X-Amz-Date=20200101T000000Z&X-Amz-Expires=60&X-Amz-Signature=secret';
    const error = await rejection(openUrlSource(server.url('forbidden') + signed, { outbound, stallMs: STALL_MS }));
    expect(error).toMatchObject({ code: 'INPUT_MEDIA_URL_EXPIRED' });
  });

  it.each([
    ['http://127.0.0.1:1/a.mp4', 'OUTBOUND_URL_REFUSED'],
    ['https://127.0.0.1:1/a.mp4', 'OUTBOUND_HOST_REFUSED'],
    ['https://10.0.0.1/a.mp4', 'OUTBOUND_HOST_REFUSED'],
    ['https://[::1]/a.mp4', 'OUTBOUND_HOST_REFUSED'],
  ])('because it is at %s is refused', async (url, code) => {
    expect(await rejection(openUrlSource(url, { outbound }))).toMatchObject({ code });
  });
});

describe('a URL that goes bad while it is read', () => {
  it.concurrent.each<[Misbehaviour, ErrorCode]>([
    ['ignores-range-later', 'INPUT_MEDIA_NO_RANGES'],
    ['other-range', 'TRANSPORT_MEDIA_BAD_ANSWER'],
    ['no-content-range', 'TRANSPORT_MEDIA_BAD_ANSWER'],
    ['lies-later', 'INPUT_MEDIA_CHANGED'],
    ['gzip-later', 'INPUT_MEDIA_NO_RANGES'],
    ['chunked-short', 'TRANSPORT_MEDIA_INTERRUPTED'],
    ['chunked-long', 'TRANSPORT_MEDIA_BAD_ANSWER'],
    ['endless', 'TRANSPORT_MEDIA_BAD_ANSWER'],
    ['short-length', 'TRANSPORT_MEDIA_INTERRUPTED'],
    ['drip', 'TRANSPORT_MEDIA_INTERRUPTED'],
    ['stops', 'TRANSPORT_MEDIA_INTERRUPTED'],
    ['silent', 'OUTBOUND_NO_ANSWER'],
    ['resets-always', 'TRANSPORT_MEDIA_INTERRUPTED'],
    ['unmarked-later', 'TRANSPORT_MEDIA_BAD_ANSWER'],
    ['to-loopback-later', 'OUTBOUND_HOST_REFUSED'],
  ])('because it is %s is named %s, and never gives a whole range', async (name, code) => {
    const source = await open(name);
    let givenBytes = 0;
    const reading = async () => {
      for await (const piece of source.read(0, 1_000_000)) givenBytes += piece.byteLength;
    };
    expect(await rejection(reading())).toMatchObject({ code });
    expect(givenBytes).toBeLessThan(1_000_000);
    await source.close();
  });

  it.concurrent.each<[Misbehaviour]>([
    ['changes-midway'],
    ['changes-size-midway'],
    ['shrinks-midway'],
    ['changes-in-body'],
    ['changes-weak-midway'],
  ])('because its file changes (%s) is named INPUT_MEDIA_CHANGED before the next range is whole', async (name) => {
    const source = await open(name);
    await bytesOf(source, 0, 1_000_000);
    await source.verifyUnchanged();
    const second = async () => {
      await bytesOf(source, 1_000_000, 2_000_000);
      await source.verifyUnchanged();
    };
    expect(await rejection(second())).toMatchObject({ code: 'INPUT_MEDIA_CHANGED' });
    await source.close();
  });
});
