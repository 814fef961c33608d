import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import type { PutChunkInput } from '../../../src/tiktok/tiktok-client.ts';
import { rejection } from '../../support/rejection.ts';
import { clientUnderTest } from './client-under-test.ts';

const TOTAL_BYTES = 100;
const UPLOAD_PATH = '/video/?upload_id=1&upload_token=secret%2Fx~y';

async function* pieces(...lengths: number[]): AsyncGenerator<Uint8Array, void, void> {
  for (const length of lengths) yield Buffer.alloc(length, 'v');
}

/** Without end, as long as someone reads. */
async function* endless(): AsyncGenerator<Uint8Array, void, void> {
  for (;;) yield Buffer.alloc(65_536);
}

/** The first chunk of two, of 40 bytes, unless told otherwise. */
function chunkTo(serverUrl: string, changes: Partial<PutChunkInput> = {}): PutChunkInput {
  return {
    uploadUrl: `${serverUrl}${UPLOAD_PATH}`,
    chunk: { startByte: 0, endByteExclusive: 40 },
    totalBytes: TOTAL_BYTES,
    contentType: 'video/mp4',
    body: () => pieces(30, 10),
    ...changes,
  };
}
const lastChunk = { chunk: { startByte: 40, endByteExclusive: TOTAL_BYTES }, body: () => pieces(60) };

describe('putChunk', () => {
  it('sends the bytes with what TikTok asks for, and no token', async () => {
    const { client, server, observations } = await clientUnderTest();
    const put = client.putChunk(chunkTo(server.url));
    const request = await server.nextRequest();
    expect(request).toMatchObject({ method: 'PUT', path: UPLOAD_PATH });
    expect(request.headers).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': '40',
      'content-range': 'bytes 0-39/100',
    });
    expect(request.headers.authorization).toBeUndefined();
    expect((await request.readBody()).toString()).toBe('v'.repeat(40));
    request.respondWith({ status: 206, headers: { 'content-range': 'bytes 0-39/100' } });
    expect(await put).toEqual({ complete: false, reportedUploadedBytes: 39, httpStatus: 206 });
    expect(observations).toMatchObject([{ endpoint: 'upload', code: 'ok' }]);
  });

  it.each([
    [201, true],
    [206, false],
    [200, true],
  ])('takes HTTP %i after the last chunk for complete: %s', async (status, complete) => {
    const { client, server } = await clientUnderTest();
    const put = client.putChunk(chunkTo(server.url, lastChunk));
    const request = await server.nextRequest();
    expect(request.headers['content-range']).toBe('bytes 40-99/100');
    await request.readBody();
    request.respondWith({ status });
    expect(await put).toEqual({ complete, reportedUploadedBytes: undefined, httpStatus: status });
  });

  it.each([
    [200, 'taken'],
    [201, 'UPLOAD_UNEXPECTED_ANSWER'],
  ])('takes HTTP %i before the last chunk for %s', async (status, expected) => {
    const { client, server } = await clientUnderTest();
    const put = client.putChunk(chunkTo(server.url));
    const request = await server.nextRequest();
    await request.readBody();
    request.respondWith({ status });
    const outcome = put.then(
      ({ complete }) => (complete ? 'complete' : 'taken'),
      (error: PublishError) => error.code,
    );
    expect(await outcome).toBe(expected);
  });

  it('ignores a report about a file of another size', async () => {
    const { client, server } = await clientUnderTest();
    const put = client.putChunk(chunkTo(server.url));
    const request = await server.nextRequest();
    await request.readBody();
    request.respondWith({ status: 206, headers: { 'content-range': 'bytes 0-39/999' } });
    expect((await put).reportedUploadedBytes).toBeUndefined();
  });

  it.each([
    [400, 'UPLOAD_CHUNK_REFUSED'],
    [403, 'UPLOAD_URL_EXPIRED'],
    [404, 'UPLOAD_TASK_MISSING'],
    [500, 'UPLOAD_SERVER_ERROR'],
    [503, 'UPLOAD_SERVER_ERROR'],
    [409, 'UPLOAD_UNEXPECTED_ANSWER'],
  ])('rejects HTTP %i as %s, without the words of the answer', async (httpStatus, code) => {
    const { client, server, observations } = await clientUnderTest();
    const put = client.putChunk(chunkTo(server.url));
    const request = await server.nextRequest();
    await request.readBody();
    request.respondWith({ status: httpStatus, text: 'upload_token=secret', headers: { 'retry-after': '7' } });
    const error = await rejection(put);
    expect(error).toMatchObject({ code, details: { endpoint: 'upload', httpStatus, retryAfterMs: 7_000 } });
    expect(JSON.stringify([error.message, error.details])).not.toContain('secret');
    expect(observations[0]?.code).toBe(`http_${httpStatus}`);
  });

  it('hands on how far TikTok is when the chunk is not the one it expects', async () => {
    const { client, server } = await clientUnderTest();
    const put = client.putChunk(chunkTo(server.url, lastChunk));
    const request = await server.nextRequest();
    await request.readBody();
    request.respondWith({ status: 416, headers: { 'content-range': 'bytes 0-19/100' } });
    expect(await rejection(put)).toMatchObject({
      code: 'UPLOAD_OFFSET_MISMATCH',
      details: { reportedUploadedBytes: 19 },
    });
  });

  it('follows no redirect', async () => {
    const { client, server } = await clientUnderTest();
    const put = client.putChunk(chunkTo(server.url));
    const request = await server.nextRequest();
    await request.readBody();
    request.respondWith({ status: 307, headers: { location: `${server.url}/elsewhere` } });
    expect((await rejection(put)).code).toBe('UPLOAD_UNEXPECTED_ANSWER');
    expect(server.unseenCount()).toBe(0);
  });

  it('hears an answer that comes before the chunk is sent', async () => {
    const { client, server } = await clientUnderTest();
    const huge = 64_000_000;
    let isReturned = false;
    async function* body() {
      try {
        yield* endless();
      } finally {
        isReturned = true;
      }
    }
    const chunk = { startByte: 0, endByteExclusive: huge };
    const put = client.putChunk(chunkTo(server.url, { chunk, totalBytes: huge, body }));
    const request = await server.nextRequest();
    request.respondWith({ status: 403 });
    expect((await rejection(put)).code).toBe('UPLOAD_URL_EXPIRED');
    await expect.poll(() => isReturned).toBe(true);
  });

  it('keeps its connection from chunk to chunk', async () => {
    const { client, server } = await clientUnderTest();
    for (const changes of [{}, lastChunk]) {
      const put = client.putChunk(chunkTo(server.url, changes));
      const request = await server.nextRequest();
      await request.readBody();
      request.respondWith({ status: 206 });
      await put;
    }
    expect(server.connectionCount()).toBe(1);
  });

  it('notices an upload that stands still', async () => {
    // A peer that takes the connection and then never reads.
    const peer = createServer((socket) => socket.pause()).listen(0, '127.0.0.1');
    await once(peer, 'listening');
    const address = peer.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const { client } = await clientUnderTest({ apiBaseUrl: url, timeouts: { stallMs: 300 } });
    const huge = 64_000_000;
    const chunk = { startByte: 0, endByteExclusive: huge };
    const put = client.putChunk(chunkTo(url, { chunk, totalBytes: huge, body: endless }));
    expect((await rejection(put)).code).toBe('UPLOAD_STALLED');
    peer.close();
  });

  it.each([
    ['a head that comes byte by byte', '', 'H', 'UPLOAD_STALLED'],
    ['hints that it is at work, without end', '', 'HTTP/1.1 102 Processing\r\n\r\n', 'UPLOAD_STALLED'],
    ['a body that comes byte by byte', 'HTTP/1.1 206 Partial Content\r\ncontent-length: 9999\r\n\r\n', 'x', 206],
    ['a body without end', 'HTTP/1.1 206 Partial Content\r\n\r\n', 'x'.repeat(60_000), 206],
  ])('is not held up by %s', async (_title, start, drop, outcome) => {
    const drips: NodeJS.Timeout[] = [];
    const peer = createServer((socket) => {
      socket.on('error', () => undefined).resume();
      socket.write(start);
      const letters = drop === 'H' ? 'HTTP/1.1 206 Partial Content\r\n'.repeat(100) : undefined;
      let sent = 0;
      drips.push(setInterval(() => socket.write(letters?.[sent++] ?? drop), 20));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      for (const drip of drips) clearInterval(drip);
      peer.close();
    });
    await once(peer, 'listening');
    const address = peer.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const { client } = await clientUnderTest({ apiBaseUrl: url, timeouts: { answerMs: 200, stallMs: 200 } });
    const put = client.putChunk(chunkTo(url));
    if (outcome === 206) expect((await put).httpStatus).toBe(206);
    else expect((await rejection(put)).code).toBe(outcome);
  });

  it('knows nothing when the connection is cut after the chunk', async () => {
    const { client, server } = await clientUnderTest();
    const put = client.putChunk(chunkTo(server.url));
    const request = await server.nextRequest();
    await request.readBody();
    request.destroy();
    expect(await rejection(put)).toMatchObject({ code: 'TRANSPORT_NO_ANSWER', row: { outcomeKnown: false } });
  });

  it('trusts the status line of an answer whose body breaks off', async () => {
    const { client, server } = await clientUnderTest();
    const put = client.putChunk(chunkTo(server.url, lastChunk));
    const request = await server.nextRequest();
    await request.readBody();
    request.respondRaw('HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{"half":');
    expect(await put).toMatchObject({ complete: true, httpStatus: 201 });
  });

  it('rejects with the reason of its signal and lets go of the body', async () => {
    const { client, server } = await clientUnderTest();
    const controller = new AbortController();
    const reason = new Error('shutdown');
    let isReturned = false;
    async function* body() {
      try {
        yield* endless();
      } finally {
        isReturned = true;
      }
    }
    const huge = 64_000_000;
    const chunk = { startByte: 0, endByteExclusive: huge };
    const put = client.putChunk(chunkTo(server.url, { chunk, totalBytes: huge, body, signal: controller.signal }));
    await server.nextRequest();
    controller.abort(reason);
    await expect(put).rejects.toBe(reason);
    await expect.poll(() => isReturned).toBe(true);
  });

  it.each([
    ['longer', [40, 1], 'expected a chunk of 40 bytes, got more'],
    ['shorter', [39], 'expected a chunk of 40 bytes, got 39'],
    ['empty', [], 'expected a chunk of 40 bytes, got 0'],
  ])('refuses a body that is %s than the chunk', async (_what, lengths, message) => {
    const { client, server } = await clientUnderTest();
    const put = client.putChunk(chunkTo(server.url, { body: () => pieces(...lengths) }));
    expect(await rejection(put)).toMatchObject({ code: 'INPUT_MEDIA_CHANGED', message });
  });

  it("rejects with the body's own error", async () => {
    const { client, server } = await clientUnderTest();
    async function* body(): AsyncGenerator<Uint8Array, void, void> {
      yield Buffer.alloc(10);
      throw new PublishError('INPUT_MEDIA_NOT_READABLE', { reason: 'the disk is gone' });
    }
    const put = client.putChunk(chunkTo(server.url, { body }));
    expect(await rejection(put)).toMatchObject({ code: 'INPUT_MEDIA_NOT_READABLE', message: 'the disk is gone' });
  });

  it.each([
    'http://open-upload.tiktokapis.com/video/?t=secret',
    'https://tiktokapis.com.evil.example/video/?t=secret',
    'https://eviltiktokapis.com/video/?t=secret',
    'https://user:pw@open-upload.tiktokapis.com/video/?t=secret',
    'http://127.0.0.1:1/video/?t=secret',
    'file:///etc/passwd?t=secret',
    'no url, secret',
  ])('sends nothing to %s', async (uploadUrl) => {
    const { client, server } = await clientUnderTest();
    const error = await rejection(client.putChunk(chunkTo(server.url, { uploadUrl })));
    expect(error.code).toBe('UPLOAD_URL_REFUSED');
    expect(JSON.stringify([error.message, error.details])).not.toMatch(/secret|pw/);
  });
});
