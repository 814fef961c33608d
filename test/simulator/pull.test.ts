import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { AccountTokens, Simulator } from '../../src/simulator/index.ts';
import { call, dataText, errorCode } from './api-calls.ts';
import { start, startWithClock } from './simulators.ts';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  server = undefined;
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/video.mp4`;
}

const pull = (simulator: Simulator, account: AccountTokens, videoUrl: string) =>
  call(simulator, account, 'video_init', {
    post_info: { privacy_level: 'SELF_ONLY' },
    source_info: { source: 'PULL_FROM_URL', video_url: videoUrl },
  });

const statusOf = async (simulator: Simulator, account: AccountTokens, publishId: string) =>
  (await call(simulator, account, 'status', { publish_id: publishId })).json.data;

describe('the URL of a pull', () => {
  it.each([
    ['https://cdn.example.com/videos/user/1/a.mp4', 'ok'],
    ['https://cdn.example.com/videos/2023/user/a.mp4', 'url_ownership_unverified'],
    ['https://media.example.org/a.mp4', 'ok'],
    ['https://example.org/a.mp4', 'ok'],
    ['https://notexample.org/a.mp4', 'url_ownership_unverified'],
    ['https://127.0.0.1/a.mp4', 'url_ownership_unverified'],
    ['http://media.example.org/a.mp4', 'invalid_params'],
    ['not a URL', 'invalid_params'],
  ])('%s is answered %s', async (videoUrl, code) => {
    const simulator = await start({
      verifiedUrlPrefixes: ['https://cdn.example.com/videos/user/', 'example.org', 'https://127.0.0.1/', '0.0.1'],
    });
    expect(errorCode(await pull(simulator, simulator.addAccount(), videoUrl))).toBe(code);
  });
});

describe('the URL of a pull on this machine, where that will do', () => {
  it.each([
    ['http://127.0.0.1:4010/pull/a.mp4', 'ok'],
    ['http://127.0.0.1:4010/a.mp4', 'url_ownership_unverified'],
    ['http://127.0.0.1:4011/pull/a.mp4', 'url_ownership_unverified'],
    ['http://media.example.org/a.mp4', 'invalid_params'],
    ['https://10.0.0.1/a.mp4', 'url_ownership_unverified'],
  ])('%s is answered %s', async (videoUrl, code) => {
    const simulator = await start({
      verifiedUrlPrefixes: ['http://127.0.0.1:4010/pull/', 'example.org', 'https://10.0.0.1/'],
      switches: { pullUrlRules: 'loopback' },
    });
    expect(errorCode(await pull(simulator, simulator.addAccount(), videoUrl))).toBe(code);
  });
});

describe('a pretended download', () => {
  it('grows with the clock, gives no upload URL, and publishes', async () => {
    const { clock, simulator, account } = await startWithClock({
      verifiedUrlPrefixes: ['example.org'],
      pullMs: 1_000,
      pullBytes: 5_000,
      processingMs: 500,
    });
    const init = await pull(simulator, account, 'https://example.org/a.mp4');
    expect(init.json.data).toEqual({ publish_id: expect.stringMatching(/^v_pub_url~v2\.\d{19}$/) });
    const publishId = dataText(init, 'publish_id');
    const seen: unknown[] = [];
    for (const ms of [0, 250, 750, 500]) {
      clock.advance(ms);
      seen.push(await statusOf(simulator, account, publishId));
    }
    expect(seen).toEqual([
      { status: 'PROCESSING_DOWNLOAD' },
      { status: 'PROCESSING_DOWNLOAD', downloaded_bytes: 1_250 },
      { status: 'PROCESSING_DOWNLOAD', downloaded_bytes: 5_000 },
      { status: 'PUBLISH_COMPLETE' },
    ]);
    expect(simulator.journal.posts()).toHaveLength(1);
  });

  it('is cancelled while it runs, and not afterwards', async () => {
    const { clock, simulator, account } = await startWithClock({ verifiedUrlPrefixes: ['example.org'], pullMs: 1_000 });
    const first = dataText(await pull(simulator, account, 'https://example.org/a.mp4'), 'publish_id');
    const cancelled = await call(simulator, account, 'cancel', { publish_id: first });
    expect([cancelled.status, errorCode(cancelled)]).toEqual([200, 'ok']);
    expect(cancelled.json).not.toHaveProperty('data');
    expect(await statusOf(simulator, account, first)).toEqual({ status: 'FAILED', fail_reason: 'publish_cancelled' });
    const second = dataText(await pull(simulator, account, 'https://example.org/a.mp4'), 'publish_id');
    clock.advance(1_000);
    for (const publish_id of [first, second]) {
      const late = await call(simulator, account, 'cancel', { publish_id });
      expect([late.status, errorCode(late)]).toEqual([400, 'publish_not_cancellable']);
    }
  });

  it('may stop midway, and is cancelled then', async () => {
    const { clock, simulator, account } = await startWithClock({ verifiedUrlPrefixes: ['example.org'], pullMs: 100 });
    simulator.faults.add({ endpoint: 'video_init', act: { kind: 'stall_download', afterBytes: 7 } });
    const publishId = dataText(await pull(simulator, account, 'https://example.org/a.mp4'), 'publish_id');
    clock.advance(1_000_000);
    expect(await statusOf(simulator, account, publishId)).toEqual({
      status: 'PROCESSING_DOWNLOAD',
      downloaded_bytes: 7,
    });
    await call(simulator, account, 'cancel', { publish_id: publishId });
    expect(await statusOf(simulator, account, publishId)).toEqual({
      status: 'FAILED',
      fail_reason: 'publish_cancelled',
    });
  });

  it('shows the status of an upload while processing when so switched', async () => {
    const { clock, simulator, account } = await startWithClock({
      verifiedUrlPrefixes: ['example.org'],
      switches: { pullProcessingStatus: 'PROCESSING_UPLOAD' },
    });
    const publishId = dataText(await pull(simulator, account, 'https://example.org/a.mp4'), 'publish_id');
    expect(await statusOf(simulator, account, publishId)).toMatchObject({ status: 'PROCESSING_DOWNLOAD' });
    clock.advance(300);
    expect(await statusOf(simulator, account, publishId)).toMatchObject({ status: 'PROCESSING_UPLOAD' });
  });
});

describe('a real download', () => {
  const settled = (simulator: Simulator) =>
    expect.poll(() => simulator.journal.publishes()[0]?.status, { timeout: 90_000, interval: 5 });

  it('fetches the bytes', async () => {
    const bytes = randomBytes(300_000);
    const url = await serve((_request, response) => response.end(bytes));
    const simulator = await start({ fetchPulls: true, processingMs: 0, switches: { pullUrlRules: 'off' } });
    await pull(simulator, simulator.addAccount(), url);
    await settled(simulator).toBe('PUBLISH_COMPLETE');
    expect(simulator.journal.posts()).toMatchObject([{ sha256: createHash('sha256').update(bytes).digest('hex') }]);
    expect(simulator.journal.publishes()).toMatchObject([{ totalBytes: bytes.length, acceptedBytes: bytes.length }]);
  });

  it.each<[string, RequestListener]>([
    ['a redirect', (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end()],
    ['a missing file', (_request, response) => response.writeHead(404).end()],
    ['a broken connection', (request) => request.socket.destroy()],
    [
      'a body that stops short',
      (request, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('only this', () => request.socket.destroy());
      },
    ],
  ])('fails on %s', async (_name, listener) => {
    const url = await serve(listener);
    const simulator = await start({ fetchPulls: true, processingMs: 0, switches: { pullUrlRules: 'off' } });
    await pull(simulator, simulator.addAccount(), url);
    await settled(simulator).toBe('FAILED');
    expect(simulator.journal.publishes()).toMatchObject([{ failReason: 'video_pull_failed', posts: [] }]);
  });

  it('stops when it is cancelled', async () => {
    let source: ServerResponse | undefined;
    const url = await serve((_request, response) => {
      source = response.writeHead(200);
      response.write('first bytes');
    });
    const simulator = await start({ fetchPulls: true, switches: { pullUrlRules: 'off' } });
    const account = simulator.addAccount();
    const publishId = dataText(await pull(simulator, account, url), 'publish_id');
    await expect.poll(() => simulator.journal.publishes()[0]?.acceptedBytes).toBe(11);
    expect((await call(simulator, account, 'cancel', { publish_id: publishId })).status).toBe(200);
    assert(source !== undefined);
    const left = once(source, 'close');
    source.write('more bytes');
    await left;
    expect(simulator.journal.publishes()).toMatchObject([{ status: 'FAILED', failReason: 'publish_cancelled' }]);
  });

  it('fails when it takes longer than an hour', async () => {
    const url = await serve((_request, response) => response.writeHead(200).write('slowly'));
    const { clock, simulator, account } = await startWithClock({ fetchPulls: true, switches: { pullUrlRules: 'off' } });
    const publishId = dataText(await pull(simulator, account, url), 'publish_id');
    clock.advance(3_600_000);
    expect(await statusOf(simulator, account, publishId)).toEqual({
      status: 'FAILED',
      fail_reason: 'video_pull_failed',
    });
  });
});

describe('cancelling an upload', () => {
  it.each([
    ['refuse', 400],
    ['accept', 200],
  ] as const)('under the switch %s is answered %i', async (cancelFileUpload, status) => {
    const simulator = await start({ switches: { cancelFileUpload } });
    const account = simulator.addAccount();
    const source_info = { source: 'FILE_UPLOAD', video_size: 9, chunk_size: 9, total_chunk_count: 1 };
    const publish_id = dataText(await call(simulator, account, 'inbox_init', { source_info }), 'publish_id');
    expect((await call(simulator, account, 'cancel', { publish_id })).status).toBe(status);
  });
});
