import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AccountTokens, FaultAct, FaultRule, Simulator } from '../../src/simulator/index.ts';
import { call, callOauth, dataText, directPost, errorCode, put } from './api-calls.ts';
import { handClock, initFile, start, startWithClock } from './simulators.ts';

const FILE = randomBytes(2_000_000);

async function startUpload(rule?: Omit<FaultRule, 'endpoint'>) {
  const simulator = await start();
  const account = simulator.addAccount();
  const upload = await initFile(simulator, account, FILE.length);
  const fault = rule && simulator.faults.add({ endpoint: 'upload', ...rule });
  const send = (signal?: AbortSignal) =>
    put(upload.uploadUrl, FILE, 0, FILE.length, signal === undefined ? {} : { signal });
  return { simulator, account, fault, send, ...upload };
}

const init = (simulator: Simulator, account: AccountTokens, signal?: AbortSignal) =>
  call(simulator, account, 'video_init', directPost(), signal === undefined ? {} : { signal });

async function startInit(act: FaultAct) {
  const simulator = await start();
  const account = simulator.addAccount();
  simulator.faults.add({ endpoint: 'video_init', act });
  return { simulator, account };
}

/** What undici says when the peer breaks the connection. */
const BROKEN = /ECONNRESET|other side closed|socket hang up|EPIPE/;

describe('faults of a call', () => {
  it('status answers without acting, in the envelope', async () => {
    const { simulator, account } = await startInit({ kind: 'status', httpStatus: 503, headers: { 'x-gateway': 'b' } });
    const reply = await init(simulator, account);
    expect([reply.status, errorCode(reply), reply.headers['x-gateway']]).toEqual([503, 'internal_error', 'b']);
    expect(simulator.journal.publishes()).toEqual([]);
    expect((await init(simulator, account)).status).toBe(200);
  });

  it('status takes any code, an empty one too', async () => {
    const { simulator, account } = await startInit({ kind: 'status', httpStatus: 500, code: '', message: 'oops' });
    expect((await init(simulator, account)).json).toMatchObject({ error: { code: '', message: 'oops' } });
  });

  it('status answers OAuth calls in their flat shape', async () => {
    const simulator = await start();
    const account = simulator.addAccount();
    simulator.faults.add({ endpoint: 'token', act: { kind: 'status', httpStatus: 500, code: 'server_error' } });
    const fields = { grant_type: 'refresh_token', refresh_token: account.refreshToken };
    const reply = await callOauth(simulator, 'token', fields);
    expect([reply.status, reply.json.error]).toEqual([500, 'server_error']);
    expect((await callOauth(simulator, 'token', fields)).json).toHaveProperty('access_token');
  });

  it('raw answers any text', async () => {
    const { simulator, account } = await startInit({
      kind: 'raw',
      httpStatus: 200,
      body: '{"data":{"publish_id":"v_pub',
      headers: { 'content-type': 'text/html' },
    });
    const reply = await init(simulator, account);
    expect([reply.text, reply.headers['content-type']]).toEqual(['{"data":{"publish_id":"v_pub', 'text/html']);
  });

  it.each([
    [undefined, undefined],
    [17, '17'],
  ])('rate_limit answers 429 with Retry-After %s', async (retryAfterSeconds, header) => {
    const { simulator, account } = await startInit(
      retryAfterSeconds === undefined ? { kind: 'rate_limit' } : { kind: 'rate_limit', retryAfterSeconds },
    );
    const reply = await init(simulator, account);
    expect([reply.status, errorCode(reply), reply.headers['retry-after']]).toEqual([
      429,
      'rate_limit_exceeded',
      header,
    ]);
  });

  it('drop_before breaks the connection and does nothing', async () => {
    const { simulator, account } = await startInit({ kind: 'drop_before' });
    await expect(init(simulator, account)).rejects.toThrow(BROKEN);
    expect(simulator.journal.publishes()).toEqual([]);
    expect(simulator.journal.entries).toMatchObject([{ httpStatus: 'dropped', fault: 'drop_before' }]);
  });

  it('drop_after acts and loses the answer', async () => {
    const { simulator, account } = await startInit({ kind: 'drop_after' });
    await expect(init(simulator, account)).rejects.toThrow(BROKEN);
    const [publish] = simulator.journal.publishes();
    expect(simulator.journal.entries).toMatchObject([
      { httpStatus: 'dropped', code: 'ok', publishId: publish?.publishId, openId: account.openId },
    ]);
  });

  it('drop_after on a refresh leaves the client with a token that no longer works', async () => {
    const simulator = await start();
    const account = simulator.addAccount();
    simulator.faults.add({ endpoint: 'token', act: { kind: 'drop_after' } });
    const fields = { grant_type: 'refresh_token', refresh_token: account.refreshToken };
    await expect(callOauth(simulator, 'token', fields)).rejects.toThrow(BROKEN);
    expect(errorCode(await callOauth(simulator, 'token', fields))).toBe('invalid_grant');
  });

  it.each([
    ['stall', 0],
    ['stall_after', 1],
  ] as const)('%s never answers, having made %i publishes', async (kind, publishes) => {
    const { simulator, account } = await startInit({ kind });
    const client = new AbortController();
    const reply = init(simulator, account, client.signal);
    await simulator.journal.waitFor(({ httpStatus }) => httpStatus === 'stalled');
    expect(simulator.journal.publishes()).toHaveLength(publishes);
    client.abort(new Error('the client gave up'));
    await expect(reply).rejects.toThrow('the client gave up');
  });

  it('stall with a time acts late', async () => {
    const { simulator, account } = await startInit({ kind: 'stall', ms: 20 });
    const startedAt = performance.now();
    expect((await init(simulator, account)).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThan(15);
  });

  it('delay acts at once and answers late', async () => {
    const { simulator, account } = await startInit({ kind: 'delay', ms: 60_000 });
    const client = new AbortController();
    const reply = init(simulator, account, client.signal);
    await simulator.journal.waitFor(({ endpoint }) => endpoint === 'video_init');
    expect(simulator.journal.publishes()).toHaveLength(1);
    client.abort(new Error('the client gave up'));
    await expect(reply).rejects.toThrow('the client gave up');
  });

  it.each(['video_init', 'inbox_init'] as const)('fail_processing at %s makes that publish fail', async (endpoint) => {
    const { clock, simulator, account } = await startWithClock();
    simulator.faults.add({ endpoint, act: { kind: 'fail_processing', failReason: 'frame_rate_check_failed' } });
    const reply = await call(simulator, account, endpoint, directPost(FILE.length));
    await put(dataText(reply, 'upload_url'), FILE, 0, FILE.length);
    clock.advance(300);
    const status = await call(simulator, account, 'status', { publish_id: dataText(reply, 'publish_id') });
    expect(status.json.data).toEqual({ status: 'FAILED', fail_reason: 'frame_rate_check_failed' });
    expect(simulator.journal.posts()).toEqual([]);
  });
});

describe('faults of an upload', () => {
  it('status refuses the chunk without taking it', async () => {
    const { send, simulator } = await startUpload({ act: { kind: 'status', httpStatus: 502, message: 'bad gateway' } });
    const reply = await send();
    expect([reply.status, reply.text]).toEqual([502, 'bad gateway']);
    expect(simulator.journal.publishes()).toMatchObject([{ acceptedBytes: 0 }]);
    expect((await send()).status).toBe(201);
  });

  it('drop_before breaks the connection before the chunk is taken', async () => {
    const { send, simulator } = await startUpload({ act: { kind: 'drop_before' } });
    await expect(send()).rejects.toThrow(BROKEN);
    expect(simulator.journal.publishes()).toMatchObject([{ acceptedBytes: 0, receivedBytes: 0 }]);
    expect((await send()).status).toBe(201);
  });

  it('drop_after takes the chunk and loses the answer', async () => {
    const { send, simulator } = await startUpload({ act: { kind: 'drop_after' } });
    await expect(send()).rejects.toThrow(BROKEN);
    expect(simulator.journal.publishes()).toMatchObject([{ acceptedBytes: FILE.length, completeUploads: 1 }]);
    expect((await send()).status).toBe(416);
  });

  it('drop_mid_body breaks the connection within the chunk', async () => {
    const { send, simulator } = await startUpload({ act: { kind: 'drop_mid_body', afterBytes: 500_000 } });
    await expect(send()).rejects.toThrow(BROKEN);
    const [entry] = simulator.journal.requests({ endpoint: 'upload' });
    expect(entry).toMatchObject({ httpStatus: 'dropped', chunk: { accepted: false } });
    expect(entry?.chunk?.receivedBytes).toBeGreaterThanOrEqual(500_000);
    expect(entry?.chunk?.receivedBytes).toBeLessThan(FILE.length);
    expect((await send()).status).toBe(201);
  });

  it('stall stops reading, and the chunk can be sent again on another connection', async () => {
    const { send, simulator } = await startUpload({ act: { kind: 'stall', afterBytes: 100_000 } });
    const client = new AbortController();
    const stalled = send(client.signal);
    const entry = await simulator.journal.waitFor(({ httpStatus }) => httpStatus === 'stalled');
    expect(entry.chunk?.receivedBytes).toBeLessThan(FILE.length);
    client.abort(new Error('the client gave up'));
    await expect(stalled).rejects.toThrow('the client gave up');
    expect((await send()).status).toBe(201);
    expect(simulator.journal.requests({ endpoint: 'upload' }).some(({ chunk }) => chunk?.concurrent)).toBe(false);
  });

  it('stall with a time goes on reading', async () => {
    const { send } = await startUpload({ act: { kind: 'stall', afterBytes: 100_000, ms: 10 } });
    expect((await send()).status).toBe(201);
  });

  it('stall_after takes the chunk and never answers', async () => {
    const { send, simulator } = await startUpload({ act: { kind: 'stall_after' } });
    const client = new AbortController();
    const reply = send(client.signal);
    await simulator.journal.waitFor(({ httpStatus }) => httpStatus === 'stalled');
    expect(simulator.journal.publishes()).toMatchObject([{ completeUploads: 1 }]);
    client.abort(new Error('the client gave up'));
    await expect(reply).rejects.toThrow('the client gave up');
  });

  it('delay takes the chunk and answers late', async () => {
    const { send, simulator } = await startUpload({ act: { kind: 'delay', ms: 20 } });
    const reply = send();
    await simulator.journal.waitFor(({ endpoint }) => endpoint === 'upload');
    expect(simulator.journal.publishes()).toMatchObject([{ completeUploads: 1 }]);
    expect((await reply).status).toBe(201);
  });

  it('slow_read takes its time', async () => {
    const { send } = await startUpload({ act: { kind: 'slow_read', bytesPerSecond: 20_000_000 } });
    const startedAt = performance.now();
    expect((await send()).status).toBe(201);
    // 2 MB at 20 MB/s.
    expect(performance.now() - startedAt).toBeGreaterThan(80);
  });

  it('fail_processing and stuck_processing decide how the publish ends', async () => {
    const clock = handClock();
    const simulator = await start({ clock });
    const account = simulator.addAccount();
    const acts = [
      { kind: 'fail_processing', failReason: 'file_format_check_failed' },
      { kind: 'stuck_processing' },
    ] as const;
    const ids: string[] = [];
    for (const act of acts) {
      simulator.faults.add({ endpoint: 'upload', when: { lastChunk: true }, act });
      const { publishId, uploadUrl } = await initFile(simulator, account, FILE.length);
      expect((await put(uploadUrl, FILE, 0, FILE.length)).status).toBe(201);
      ids.push(publishId);
    }
    clock.advance(86_400_000);
    expect(simulator.journal.publishes()).toMatchObject([
      { status: 'FAILED', failReason: 'file_format_check_failed' },
      { status: 'PROCESSING_UPLOAD' },
    ]);
    simulator.settle(ids[1] ?? '');
    expect(simulator.journal.publishes()[1]?.status).toBe('PUBLISH_COMPLETE');
  });
});

describe('when a fault acts', () => {
  const CHUNK_BYTES = 5_242_880;
  const busy = { kind: 'status', httpStatus: 503 } as const;

  it('is chosen by count: from the nth matching request, so many times', async () => {
    const simulator = await start();
    const account = simulator.addAccount();
    const fault = simulator.faults.add({ endpoint: 'creator_info', when: { nth: 2, times: 2 }, act: busy });
    const statuses: number[] = [];
    for (let index = 0; index < 5; index++) statuses.push((await call(simulator, account, 'creator_info', {})).status);
    expect(statuses).toEqual([200, 503, 503, 200, 200]);
    expect(fault.fired).toBe(2);
  });

  it('is chosen by user and by publish', async () => {
    const simulator = await start();
    const [one, other] = [simulator.addAccount(), simulator.addAccount()];
    simulator.faults.add({ endpoint: 'video_init', when: { openId: other.openId }, act: busy });
    expect((await init(simulator, one)).status).toBe(200);
    expect((await init(simulator, other)).status).toBe(503);
    const [first, second] = [await initFile(simulator, one, 9), await initFile(simulator, one, 9)];
    simulator.faults.add({ endpoint: 'status', when: { publishId: second.publishId }, act: busy });
    expect((await call(simulator, one, 'status', { publish_id: first.publishId })).status).toBe(200);
    expect((await call(simulator, one, 'status', { publish_id: second.publishId })).status).toBe(503);
  });

  it.each([
    ['a chunk', { chunkIndex: 1 }, [206, 503, 206, 201]],
    ['the last chunk', { lastChunk: true }, [206, 206, 503, 201]],
  ])('is chosen by %s', async (_name, when, expected) => {
    const simulator = await start();
    const totalBytes = 3 * CHUNK_BYTES + 5;
    const reply = await call(simulator, simulator.addAccount(), 'inbox_init', {
      source_info: { source: 'FILE_UPLOAD', video_size: totalBytes, chunk_size: CHUNK_BYTES, total_chunk_count: 3 },
    });
    simulator.faults.add({ endpoint: 'upload', when, act: busy });
    const bytes = randomBytes(totalBytes);
    const statuses: number[] = [];
    for (let index = 0; index < 3; ) {
      const chunk = bytes.subarray(index * CHUNK_BYTES, index === 2 ? totalBytes : (index + 1) * CHUNK_BYTES);
      const { status } = await put(dataText(reply, 'upload_url'), chunk, index * CHUNK_BYTES, totalBytes);
      statuses.push(status);
      if (status < 300) index++;
    }
    expect(statuses).toEqual(expected);
  });

  it('is chosen by chance, the same under the same seed', async () => {
    const outcomes = async (seed: number) => {
      const simulator = await start({ seed, limits: { creatorInfoPerMinute: 1_000 } });
      const account = simulator.addAccount();
      simulator.faults.add({ endpoint: 'creator_info', when: { probability: 0.5 }, act: busy });
      const statuses: number[] = [];
      for (let index = 0; index < 40; index++)
        statuses.push((await call(simulator, account, 'creator_info', {})).status);
      return statuses;
    };
    const first = await outcomes(3);
    expect(new Set(first)).toEqual(new Set([200, 503]));
    expect(await outcomes(3)).toEqual(first);
    expect(await outcomes(4)).not.toEqual(first);
  });

  it('ends when it is removed or all are cleared', async () => {
    const simulator = await start();
    const account = simulator.addAccount();
    const always = { endpoint: 'creator_info', when: { times: 'always' }, act: busy } as const;
    const fault = simulator.faults.add(always);
    expect((await call(simulator, account, 'creator_info', {})).status).toBe(503);
    fault.remove();
    expect((await call(simulator, account, 'creator_info', {})).status).toBe(200);
    simulator.faults.add(always);
    simulator.faults.clear();
    expect((await call(simulator, account, 'creator_info', {})).status).toBe(200);
  });

  it.each<FaultRule>([
    { endpoint: 'status', act: { kind: 'slow_read', bytesPerSecond: 1 } },
    { endpoint: 'token', act: { kind: 'fail_processing', failReason: 'internal' } },
    { endpoint: 'status', act: { kind: 'status', httpStatus: 99 } },
    { endpoint: 'status', when: { nth: 0 }, act: { kind: 'drop_before' } },
  ])('is refused where it makes no sense: %j', async (rule) => {
    const simulator = await start();
    expect(() => simulator.faults.add(rule)).toThrow();
  });
});
