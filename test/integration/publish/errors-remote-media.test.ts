import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ERROR_TABLE, type ErrorCode } from '../../../src/core/error-table.ts';
import type { MediaSource, OpenMedia } from '../../../src/core/ports.ts';
import { createMediaOpener, type MediaOpener } from '../../../src/media/open-media.ts';
import {
  type HostileMediaServer,
  type Misbehaviour,
  startHostileMediaServer,
} from '../../support/hostile-media-server.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { openCase, type PublishCase, retriedCodes } from '../../support/publish-case.ts';

const MP4_START = Buffer.from('0000001c667479706d703432000000006d70343269736f6d61766331', 'hex');
/** Two chunks. */
const video = Buffer.concat([MP4_START, randomBytes(12_000_000)]);
const CHUNK_BYTES = 5_242_880;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let server: HostileMediaServer;
let opener: MediaOpener;
let pipeline: Pipeline;
/** Digests of the ranges that were handed to the upload whole, by URL. */
const handedOver = new Map<string, Map<string, string>>();

/** Remembers what was read, so that what TikTok accepted can be held against the true file. */
function watched(source: MediaSource, url: string): MediaSource {
  const ranges = handedOver.get(url) ?? new Map<string, string>();
  handedOver.set(url, ranges);
  return {
    ...source,
    async *read(start, end) {
      const hash = createHash('sha256');
      for await (const piece of source.read(start, end)) {
        hash.update(piece);
        yield piece;
      }
      ranges.set(`${start}-${end}`, hash.digest('hex'));
    },
  };
}

beforeAll(async () => {
  vi.setConfig({ maxConcurrency: 10 });
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'a');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'b');
  server = await startHostileMediaServer(video);
  opener = createMediaOpener({ allowHosts: server.allowHosts, stallMs: 2_000 });
  const openMedia: OpenMedia = async (media) => {
    const source = await opener.open(media);
    return media.type === 'url' ? watched(source, media.url) : source;
  };
  pipeline = await startPipeline({
    simulator: { processingMs: 20, switches: { abandonedUploadFailsAfterMs: 60_000 } },
    retries: { maxAttempts: 2, baseMs: 60, factor: 1, maxMs: 60 },
    chunkSizeBytes: CHUNK_BYTES,
    openMedia,
    // Longer than a busy machine stands still: what is told apart here is the trouble of the video's server.
    stallMs: 10_000,
  });
  await pipeline.startWorkers();
  await pipeline.startWorkers();
});

afterAll(async () => {
  await pipeline.close();
  await opener.close();
  await server.close();
  vi.unstubAllEnvs();
});

async function publish(url: string, arrange: (opened: PublishCase) => void = () => undefined) {
  const opened = await openCase(pipeline);
  arrange(opened);
  const { id } = await pipeline.publisher.enqueue({
    account: opened.account,
    mode: 'direct',
    media: { type: 'url', url },
    post: { privacyLevel: 'PUBLIC_TO_EVERYONE' },
  });
  const job = await pipeline.publisher.waitForCompletion(id, { timeoutMs: 90_000 });
  const accepted = opened.requests('upload').filter(({ chunk }) => chunk?.accepted);
  for (const { chunk } of accepted) {
    const [start, end] = [chunk?.startByte ?? 0, chunk?.endByteExclusive ?? 0];
    expect(handedOver.get(url)?.get(`${start}-${end}`)).toBe(sha256(video.subarray(start, end)));
  }
  return { ...opened, job, accepted };
}

describe('a video from a server that behaves', () => {
  it.concurrent.each<Misbehaviour>(['honest', 'chunked', 'weak', 'modified-only', 'to-honest', 'wants-login'])(
    '(%s) is published as it is',
    async (name) => {
      const url = server.url(name).replace('//', name === 'wants-login' ? '//ann:p%40ss@' : '//');
      const { job, publishes } = await publish(url);
      expect(job).toMatchObject({ state: 'published', attempts: 0 });
      expect(publishes()).toMatchObject([{ sha256: sha256(video), completeUploads: 1, resentBytes: 0 }]);
    },
  );

  it.concurrent.each<Misbehaviour>(['resets-once', 'busy-once'])('again (%s) is published once', async (name) => {
    const { job, publishes } = await publish(server.url(name));
    expect(job).toMatchObject({ state: 'published' });
    expect(publishes()).toMatchObject([{ sha256: sha256(video), completeUploads: 1 }]);
  });
});

describe('an upload from a URL that is begun anew', () => {
  it.concurrent.each<[Misbehaviour, what: string, firstChunkReads: number]>([
    ['honest', 'trusts a strong ETag', 1],
    ['weak', 'reads again what TikTok has, since a weak ETag proves nothing', 2],
  ])('(%s) %s', async (name, _what, firstChunkReads) => {
    const url = server.url(name);
    const { job, publishes } = await publish(url, ({ fault }) => {
      fault('upload', { kind: 'status', httpStatus: 500 }, { chunkIndex: 1, times: 1 });
    });
    expect(job).toMatchObject({ state: 'published' });
    expect(retriedCodes(job)).toEqual(['UPLOAD_SERVER_ERROR']);
    expect(publishes()).toMatchObject([{ sha256: sha256(video), completeUploads: 1 }]);
    const ofFirstChunk = server.asked.filter(
      ({ path, range }) => url.endsWith(path) && range === `bytes=0-${CHUNK_BYTES - 1}`,
    );
    expect(ofFirstChunk).toHaveLength(firstChunkReads);
  });
});

describe('a video from a server that misbehaves', () => {
  it.concurrent.each<[Misbehaviour, ErrorCode, chunksAccepted: number]>([
    ['ignores-range', 'INPUT_MEDIA_NO_RANGES', 0],
    ['ignores-range-later', 'INPUT_MEDIA_NO_RANGES', 0],
    ['share-link', 'INPUT_MEDIA_WEB_PAGE', 0],
    ['in-circles', 'INPUT_MEDIA_REDIRECTS', 0],
    ['other-range', 'TRANSPORT_MEDIA_BAD_ANSWER', 0],
    ['gzip', 'INPUT_MEDIA_NO_RANGES', 0],
    ['gzip-later', 'INPUT_MEDIA_NO_RANGES', 0],
    ['lies-larger', 'TRANSPORT_MEDIA_BAD_ANSWER', 2],
    ['lies-later', 'INPUT_MEDIA_CHANGED', 0],
    ['chunked-short', 'TRANSPORT_MEDIA_INTERRUPTED', 0],
    ['chunked-long', 'TRANSPORT_MEDIA_BAD_ANSWER', 0],
    ['endless', 'TRANSPORT_MEDIA_BAD_ANSWER', 0],
    ['short-length', 'TRANSPORT_MEDIA_INTERRUPTED', 0],
    ['drip', 'TRANSPORT_MEDIA_INTERRUPTED', 0],
    ['stops', 'TRANSPORT_MEDIA_INTERRUPTED', 0],
    ['silent', 'OUTBOUND_NO_ANSWER', 0],
    ['resets-always', 'TRANSPORT_MEDIA_INTERRUPTED', 0],
    ['changes-midway', 'INPUT_MEDIA_CHANGED', 1],
    ['changes-size-midway', 'INPUT_MEDIA_CHANGED', 1],
    ['changes-in-body', 'INPUT_MEDIA_CHANGED', 1],
    ['to-loopback', 'OUTBOUND_HOST_REFUSED', 0],
    ['to-metadata', 'OUTBOUND_URL_REFUSED', 0],
    ['to-loopback-later', 'OUTBOUND_HOST_REFUSED', 0],
    ['forbidden', 'INPUT_MEDIA_ACCESS_REFUSED', 0],
    ['expired', 'INPUT_MEDIA_URL_EXPIRED', 0],
    ['missing', 'INPUT_MEDIA_NOT_FOUND', 0],
    ['busy', 'TRANSPORT_MEDIA_BUSY', 0],
    ['throttles', 'TRANSPORT_MEDIA_BUSY', 0],
  ])('(%s) fails as %s after %d chunks, and no wrong byte is accepted', async (name, code, chunksAccepted) => {
    const url = `${server.url(name)}?signature=secret-query`;
    const { job, accepted, publishes } = await publish(url);
    expect(job).toMatchObject({ state: 'failed', failure: { code, advice: ERROR_TABLE[code].advice } });
    expect(JSON.stringify(job)).not.toContain('secret-query');
    expect(accepted).toHaveLength(chunksAccepted);
    expect(publishes().filter(({ completeUploads }) => completeUploads > 0)).toEqual([]);
    if (ERROR_TABLE[code].verdict === 'retry') expect(retriedCodes(job)).toEqual([code]);
    else expect(retriedCodes(job)).toEqual([]);
  });

  it('never fills the memory, whatever is poured out', async () => {
    let peakBytes = 0;
    const watch = setInterval(() => {
      const { external, arrayBuffers } = process.memoryUsage();
      peakBytes = Math.max(peakBytes, external + arrayBuffers);
    }, 5);
    const before = process.memoryUsage();
    await Promise.all([...Array(4)].map(() => publish(server.url('endless-at-once'))));
    await Promise.all([...Array(4)].map(() => publish(server.url('endless'))));
    clearInterval(watch);
    expect(peakBytes - before.external - before.arrayBuffers).toBeLessThan(128_000_000);
  });
});

describe('object storage that refuses', () => {
  it.each<[httpStatus: number, word: string, ErrorCode]>([
    [403, 'InvalidAccessKeyId', 'CONFIG_STORAGE_CREDENTIALS'],
    [301, 'PermanentRedirect', 'CONFIG_STORAGE_REGION'],
  ])('(%d %s) fails the job as its row says', async (httpStatus, word, code) => {
    const storage = createServer((_request, response) => {
      response.writeHead(httpStatus, { 'content-type': 'application/xml' });
      response.end(`<Error><Code>${word}</Code><Message>m</Message></Error>`);
    });
    await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve));
    const address = storage.address();
    const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const objects = createMediaOpener({ s3: { endpoint, region: 'x', forcePathStyle: true } });
    const other = await startPipeline({
      retries: { maxAttempts: 1, baseMs: 1, factor: 1, maxMs: 1 },
      openMedia: objects.open,
    });
    const { id } = await other.publisher.enqueue({
      account: 'acme',
      mode: 'inbox',
      media: { type: 's3', bucket: 'videos', key: 'a.mp4' },
    });
    const { advice, retryable } = ERROR_TABLE[code];
    expect(await other.publisher.waitForCompletion(id, { timeoutMs: 90_000 })).toMatchObject({
      state: 'failed',
      failure: { code, advice, retryable },
    });
    await other.close();
    await objects.close();
    storage.close();
  });
});
