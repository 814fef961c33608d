import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { AccountTokens, Simulator } from '../../src/simulator/index.ts';
import { call, dataText, put, send } from './api-calls.ts';
import { initFile, start, startWithClock } from './simulators.ts';

const CHUNK_BYTES = 5_242_880;
const FILE = randomBytes(2 * CHUNK_BYTES + 123);

/** A publish of FILE in two chunks, the second with the remainder. */
async function initTwoChunks(simulator: Simulator, account: AccountTokens) {
  const reply = await call(simulator, account, 'inbox_init', {
    source_info: { source: 'FILE_UPLOAD', video_size: FILE.length, chunk_size: CHUNK_BYTES, total_chunk_count: 2 },
  });
  const uploadUrl = dataText(reply, 'upload_url');
  return {
    publishId: dataText(reply, 'publish_id'),
    uploadUrl,
    first: () => put(uploadUrl, FILE.subarray(0, CHUNK_BYTES), 0, FILE.length),
    last: () => put(uploadUrl, FILE.subarray(CHUNK_BYTES), CHUNK_BYTES, FILE.length),
  };
}

describe('chunks in order', () => {
  it('answers 206 to each but the last, then 201, over one kept-alive connection', async () => {
    const simulator = await start();
    const upload = await initTwoChunks(simulator, simulator.addAccount());
    const first = await upload.first();
    expect([first.status, first.headers['content-range']]).toEqual([206, `bytes 0-${CHUNK_BYTES - 1}/${FILE.length}`]);
    const last = await upload.last();
    expect([last.status, last.headers['content-range']]).toEqual([201, `bytes 0-${FILE.length - 1}/${FILE.length}`]);
    expect(simulator.journal.publishes()).toMatchObject([
      {
        sha256: createHash('sha256').update(FILE).digest('hex'),
        totalBytes: FILE.length,
        acceptedBytes: FILE.length,
        resentBytes: 0,
        completeUploads: 1,
      },
    ]);
    expect(simulator.journal.requests({ endpoint: 'upload' }).map(({ chunk }) => chunk)).toMatchObject([
      { startByte: 0, endByteExclusive: CHUNK_BYTES, accepted: true, concurrent: false, outOfOrder: false },
      { startByte: CHUNK_BYTES, receivedBytes: FILE.length - CHUNK_BYTES, accepted: true, concurrent: false },
    ]);
  });

  it('counts bytes in the reply header when so switched', async () => {
    const simulator = await start({ switches: { contentRangeReading: 'count' } });
    const upload = await initTwoChunks(simulator, simulator.addAccount());
    expect((await upload.first()).headers['content-range']).toBe(`bytes 0-${CHUNK_BYTES}/${FILE.length}`);
    expect((await upload.last()).headers['content-range']).toBe(`bytes 0-${FILE.length}/${FILE.length}`);
  });

  it('leaves the digest out when told to', async () => {
    const simulator = await start({ digest: false });
    const upload = await initTwoChunks(simulator, simulator.addAccount());
    await upload.first();
    await upload.last();
    expect(simulator.journal.publishes()).toMatchObject([{ completeUploads: 1, sha256: undefined }]);
  });
});

describe('a range that does not continue the upload', () => {
  it('is answered 416 with the progress, and changes nothing', async () => {
    const simulator = await start();
    const upload = await initTwoChunks(simulator, simulator.addAccount());
    const early = await upload.last();
    expect([early.status, early.headers['content-range']]).toEqual([416, `bytes */${FILE.length}`]);
    await upload.first();
    const repeated = await upload.first();
    expect([repeated.status, repeated.headers['content-range']]).toEqual([
      416,
      `bytes 0-${CHUNK_BYTES - 1}/${FILE.length}`,
    ]);
    expect((await upload.last()).status).toBe(201);
    expect((await upload.last()).status).toBe(416);
    const outOfOrder = simulator.journal.requests({ endpoint: 'upload' }).map(({ chunk }) => chunk?.outOfOrder);
    expect(outOfOrder).toEqual([true, false, true, false, true]);
    const [publish] = simulator.journal.publishes();
    expect(publish?.completeUploads).toBe(1);
    expect(publish?.sha256).toBe(createHash('sha256').update(FILE).digest('hex'));
    expect(publish?.resentBytes).toBeGreaterThan(0);
  });

  it('says nothing of the progress when so switched', async () => {
    const simulator = await start({ switches: { contentRangeOn416: 'absent' } });
    const upload = await initTwoChunks(simulator, simulator.addAccount());
    expect((await upload.last()).headers).not.toHaveProperty('content-range');
  });

  it('is taken without effect if it repeats an accepted chunk and the switch says so', async () => {
    const simulator = await start({ switches: { repeatedChunk: 'success' } });
    const upload = await initTwoChunks(simulator, simulator.addAccount());
    await upload.first();
    expect((await upload.first()).status).toBe(206);
    await upload.last();
    expect((await upload.last()).status).toBe(201);
    expect(simulator.journal.publishes()).toMatchObject([
      {
        acceptedBytes: FILE.length,
        resentBytes: FILE.length,
        completeUploads: 1,
        sha256: createHash('sha256').update(FILE).digest('hex'),
      },
    ]);
  });

  it.each([
    ['half a chunk', FILE.subarray(0, 1_000), 0, FILE.length],
    ['another total', FILE.subarray(0, CHUNK_BYTES), 0, FILE.length + 1],
    ['the whole file at once', FILE, 0, FILE.length],
  ])('refuses %s, which is not what init announced', async (_name, bytes, startByte, totalBytes) => {
    const simulator = await start();
    const upload = await initTwoChunks(simulator, simulator.addAccount());
    expect((await put(upload.uploadUrl, bytes, startByte, totalBytes)).status).toBe(416);
  });
});

describe('headers of a PUT', () => {
  it.each([
    ['no Content-Range', { 'content-range': '' }],
    ['a Content-Range without total', { 'content-range': 'bytes 0-8/*' }],
    ['a reversed range', { 'content-range': 'bytes 8-0/9' }],
    ['a range beyond the total', { 'content-range': 'bytes 0-9/9' }],
    ['a Content-Length that differs from the range', { 'content-range': 'bytes 0-7/9' }],
    ['another media type', { 'content-type': 'application/octet-stream' }],
    ['parameters on the media type', { 'content-type': 'video/mp4; codecs=avc1' }],
  ])('refuses %s', async (_name, headers) => {
    const simulator = await start();
    const { uploadUrl, publishId } = await initFile(simulator, simulator.addAccount(), 9);
    const reply = await put(uploadUrl, Buffer.alloc(9), 0, 9, { headers });
    expect(reply.status).toBe(400);
    expect(simulator.journal.requests({ publishId, endpoint: 'upload' })).toMatchObject([{ httpStatus: 400 }]);
    expect((await put(uploadUrl, Buffer.alloc(9), 0, 9)).status).toBe(201);
  });

  it.each(['video/mp4', 'video/quicktime', 'video/webm'])('takes %s', async (contentType) => {
    const simulator = await start();
    const { uploadUrl } = await initFile(simulator, simulator.addAccount(), 9);
    const reply = await put(uploadUrl, Buffer.alloc(9), 0, 9, { headers: { 'content-type': contentType } });
    expect(reply.status).toBe(201);
  });

  it('refuses a body of unannounced length', async () => {
    const simulator = await start();
    const { uploadUrl } = await initFile(simulator, simulator.addAccount(), 9);
    const request = httpRequest(uploadUrl, {
      method: 'PUT',
      headers: { 'content-type': 'video/mp4', 'content-range': 'bytes 0-8/9', 'transfer-encoding': 'chunked' },
    });
    request.write('12345');
    request.end('6789');
    const [response] = await once(request, 'response');
    response.resume();
    expect(response.statusCode).toBe(400);
  });
});

describe('an upload URL', () => {
  it('is within 256 characters and shares host and port with the API', async () => {
    const simulator = await start();
    const { uploadUrl, publishId } = await initFile(simulator, simulator.addAccount(), 9);
    expect(uploadUrl.length).toBeLessThanOrEqual(256);
    expect(publishId.length).toBeLessThanOrEqual(64);
    expect(new URL(uploadUrl).origin).toBe(simulator.url);
  });

  it('is unknown with another query', async () => {
    const simulator = await start();
    const { uploadUrl } = await initFile(simulator, simulator.addAccount(), 9);
    expect((await put(`${uploadUrl}x`, Buffer.alloc(9), 0, 9)).status).toBe(404);
    expect((await put(uploadUrl.replace(/\?.*/, ''), Buffer.alloc(9), 0, 9)).status).toBe(404);
    expect((await send(uploadUrl, { method: 'POST', body: 'x' })).status).toBe(404);
  });

  it('expires one hour after init, also in the middle of an upload', async () => {
    const { clock, simulator, account } = await startWithClock();
    const upload = await initTwoChunks(simulator, account);
    clock.advance(3_599_999);
    expect((await upload.first()).status).toBe(206);
    clock.advance(1);
    expect((await upload.last()).status).toBe(403);
    const status = await call(simulator, account, 'status', { publish_id: upload.publishId });
    expect(status.json.data).toEqual({ status: 'PROCESSING_UPLOAD', uploaded_bytes: CHUNK_BYTES });
    clock.advance(3_600_000);
    const later = await call(simulator, account, 'status', { publish_id: upload.publishId });
    expect(later.json.data).toEqual({ status: 'FAILED', fail_reason: 'internal' });
  });
});

describe('the end of the hour', () => {
  it('refuses a chunk that began within it, and comes before any other complaint', async () => {
    const { clock, simulator, account } = await startWithClock();
    const { publishId, uploadUrl } = await initFile(simulator, account, 9);
    const slow = httpRequest(uploadUrl, {
      method: 'PUT',
      headers: { 'content-type': 'video/mp4', 'content-length': 9, 'content-range': 'bytes 0-8/9' },
    });
    slow.write('12345');
    await simulator.journal.waitForReceived(publishId, 5);
    clock.advance(3_600_000);
    slow.end('6789');
    const [response] = await once(slow, 'response');
    response.resume();
    expect(response.statusCode).toBe(403);
    expect((await put(uploadUrl, Buffer.alloc(2), 5, 9)).status).toBe(403);
    expect(simulator.journal.publishes()).toMatchObject([{ acceptedBytes: 0, completeUploads: 0 }]);
  });
});

describe('a chunk that does not arrive whole', () => {
  it('is not accepted, and the same chunk may be sent again', async () => {
    const simulator = await start();
    const upload = await initTwoChunks(simulator, simulator.addAccount());
    await upload.first();
    const broken = httpRequest(upload.uploadUrl, {
      method: 'PUT',
      headers: {
        'content-type': 'video/mp4',
        'content-length': FILE.length - CHUNK_BYTES,
        'content-range': `bytes ${CHUNK_BYTES}-${FILE.length - 1}/${FILE.length}`,
      },
    });
    broken.on('error', () => undefined);
    broken.write(FILE.subarray(CHUNK_BYTES, CHUNK_BYTES + 1_000_000));
    await simulator.journal.waitForReceived(upload.publishId, CHUNK_BYTES + 1_000_000);
    broken.destroy();
    const entry = await simulator.journal.waitFor(({ httpStatus }) => httpStatus === 'aborted');
    expect(entry.chunk).toMatchObject({ accepted: false, receivedBytes: 1_000_000, concurrent: false });
    expect((await upload.last()).status).toBe(201);
    expect(simulator.journal.publishes()).toMatchObject([
      { resentBytes: 1_000_000, sha256: createHash('sha256').update(FILE).digest('hex') },
    ]);
    expect(simulator.journal.requests({ endpoint: 'upload' }).some(({ chunk }) => chunk?.concurrent)).toBe(false);
  });
});

describe('two PUTs to one upload at the same time', () => {
  it('are called concurrent while both go on', async () => {
    const simulator = await start();
    const totalBytes = 12_000_000;
    const { publishId, uploadUrl } = await initFile(simulator, simulator.addAccount(), totalBytes);
    const open = () => {
      const request = httpRequest(uploadUrl, {
        method: 'PUT',
        headers: {
          'content-type': 'video/mp4',
          'content-length': totalBytes,
          'content-range': `bytes 0-${totalBytes - 1}/${totalBytes}`,
        },
      });
      request.on('error', () => undefined);
      return request;
    };
    const [older, newer] = [open(), open()];
    older.write(Buffer.alloc(1_000));
    await simulator.journal.waitForReceived(publishId, 1_000);
    newer.write(Buffer.alloc(1_000));
    await simulator.journal.waitForReceived(publishId, 2_000);
    older.write(Buffer.alloc(9_000_000));
    await simulator.journal.waitForReceived(publishId, 9_002_000);
    older.destroy();
    newer.destroy();
    const isSecond = ({ seq }: { seq: number }) => seq === 3;
    await simulator.journal.waitFor(isSecond);
    const chunks = simulator.journal.requests({ httpStatus: 'aborted' }).map(({ chunk }) => chunk?.concurrent);
    expect(chunks).toEqual([true, true]);
  });

  it('are not called concurrent when the first one was given up', async () => {
    const simulator = await start();
    const { uploadUrl } = await initFile(simulator, simulator.addAccount(), 9);
    simulator.faults.add({ endpoint: 'upload', act: { kind: 'delay', ms: 100 } });
    const client = new AbortController();
    const first = put(uploadUrl, Buffer.alloc(9), 0, 9, { signal: client.signal });
    await simulator.journal.waitFor(({ endpoint }) => endpoint === 'upload');
    client.abort(new Error('the client gave up'));
    await expect(first).rejects.toThrow('the client gave up');
    expect((await put(uploadUrl, Buffer.alloc(9), 0, 9)).status).toBe(416);
    simulator.faults.add({ endpoint: 'upload', act: { kind: 'delay', ms: 200 } });
    await put(uploadUrl, Buffer.alloc(9), 0, 9);
    const chunks = simulator.journal.requests({ endpoint: 'upload' }).map(({ chunk }) => chunk?.concurrent);
    expect(chunks).toEqual([false, false, false]);
  });

  it('are both journaled as concurrent, and only one is accepted', async () => {
    const simulator = await start();
    const upload = await initTwoChunks(simulator, simulator.addAccount());
    const slow = httpRequest(upload.uploadUrl, {
      method: 'PUT',
      headers: {
        'content-type': 'video/mp4',
        'content-length': CHUNK_BYTES,
        'content-range': `bytes 0-${CHUNK_BYTES - 1}/${FILE.length}`,
      },
    });
    slow.write(FILE.subarray(0, 1_000));
    await simulator.journal.waitForReceived(upload.publishId, 1_000);
    expect((await upload.first()).status).toBe(206);
    slow.end(FILE.subarray(1_000, CHUNK_BYTES));
    const [response] = await once(slow, 'response');
    response.resume();
    expect(response.statusCode).toBe(416);
    const chunks = simulator.journal.requests({ endpoint: 'upload' }).map(({ chunk }) => chunk);
    expect(chunks).toMatchObject([
      { accepted: true, concurrent: true },
      { accepted: false, concurrent: true, outOfOrder: true },
    ]);
    expect((await upload.last()).status).toBe(201);
    expect(simulator.journal.publishes()).toMatchObject([
      { completeUploads: 1, resentBytes: CHUNK_BYTES, sha256: createHash('sha256').update(FILE).digest('hex') },
    ]);
  });
});
