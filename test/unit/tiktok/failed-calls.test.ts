import { describe, expect, it } from 'vitest';
import type { FakeAnswer } from '../../fakes/tiktok-server.ts';
import { rejection } from '../../support/rejection.ts';
import { clientUnderTest, envelope, unusedUrl } from './client-under-test.ts';

const context = { accessToken: 'act.secret' };
const input = { post: {}, source: { kind: 'pull', url: 'https://videos.example.com/a.mp4' } } as const;

/** What an init rejects with after this answer. */
async function failureAfter(answer: FakeAnswer) {
  const { client, server, observations } = await clientUnderTest();
  const init = client.initDirectVideo(input, context);
  (await server.nextRequest()).respondWith(answer);
  const error = await rejection(init);
  return { error, observations };
}

describe('a call that TikTok says no to', () => {
  it('rejects with what TikTok said', async () => {
    const json = envelope({}, { code: 'invalid_params', message: 'The chunk size is invalid', log_id: '2026' });
    const { error, observations } = await failureAfter({ status: 400, json });
    expect(error).toMatchObject({
      code: 'TIKTOK_INVALID_PARAMS',
      details: {
        endpoint: 'direct_init',
        httpStatus: 400,
        tiktokCode: 'invalid_params',
        tiktokMessage: 'The chunk size is invalid',
        tiktokLogId: '2026',
      },
    });
    expect(observations[0]?.code).toBe('invalid_params');
  });

  it('works without data in the answer', async () => {
    const json = { error: { code: 'spam_risk_too_many_pending_share', message: 'x', log_id: 'l' } };
    const { error } = await failureAfter({ status: 403, json });
    expect(error.code).toBe('TIKTOK_PENDING_SHARE_CAP');
  });

  it('carries a code it does not know through and counts it', async () => {
    const { error, observations } = await failureAfter({ status: 403, json: envelope({}, { code: 'brand_new' }) });
    expect(error).toMatchObject({ code: 'TIKTOK_UNKNOWN_ERROR', details: { tiktokCode: 'brand_new' } });
    expect(observations[0]?.code).toBe('brand_new');
  });

  it('knows nothing of what was done where such a code comes with a status that refuses nothing', async () => {
    const { error } = await failureAfter({ status: 200, json: envelope({}, { code: 'brand_new' }) });
    expect(error).toMatchObject({ code: 'TRANSPORT_BAD_ANSWER', details: { tiktokCode: 'brand_new' } });
  });

  it('keeps a code that is no label out of the metrics', async () => {
    const { observations } = await failureAfter({ status: 403, json: envelope({}, { code: 'Oh no! v_pub~1' }) });
    expect(observations[0]?.code).toBe('unreadable');
  });

  it.each([
    ['30', 30_000],
    ['0', 0],
    ['soon', undefined],
    ['9999999999', 86_400_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ])('reads Retry-After: %s', async (header, retryAfterMs) => {
    const json = envelope({}, { code: 'rate_limit_exceeded' });
    const { error } = await failureAfter({ status: 429, json, headers: { 'retry-after': header } });
    expect(error.code).toBe('TIKTOK_RATE_LIMITED');
    expect(error.details.retryAfterMs).toBe(retryAfterMs);
  });

  it('takes a 5xx with an empty code for a failure inside, whose outcome is not known', async () => {
    const { error } = await failureAfter({ status: 500, json: envelope({}, { code: '' }) });
    expect(error.code).toBe('TIKTOK_INTERNAL');
    expect(error.row.outcomeKnown).toBe(false);
  });
});

describe('a call whose answer is not of TikTok', () => {
  it.each([
    ['HTML of a gateway', { status: 502, text: '<html>Bad gateway</html>' }, 'TIKTOK_INTERNAL'],
    ['HTML with 200', { status: 200, text: '<html>Log in</html>' }, 'TRANSPORT_BAD_ANSWER'],
    ['an empty body', { status: 200, text: '' }, 'TRANSPORT_BAD_ANSWER'],
    ['no envelope', { status: 200, json: { publish_id: 'p' } }, 'TRANSPORT_BAD_ANSWER'],
    ['a list', { status: 200, json: [] }, 'TRANSPORT_BAD_ANSWER'],
    ['an ok that is none', { status: 500, json: envelope({ publish_id: 'p' }) }, 'TIKTOK_INTERNAL'],
    ['a 429 without JSON', { status: 429, text: 'slow down' }, 'TIKTOK_RATE_LIMITED'],
    ['a redirect', { status: 302, text: '', headers: { location: 'http://127.0.0.1:9/' } }, 'TRANSPORT_BAD_ANSWER'],
    ['endless brackets', { status: 200, text: '['.repeat(500_000) }, 'TRANSPORT_BAD_ANSWER'],
    ['more than a megabyte', { status: 200, text: ' '.repeat(1_000_001) }, 'TRANSPORT_BAD_ANSWER'],
  ])('rejects %s', async (_what, answer, code) => {
    const { error } = await failureAfter(answer);
    expect(error.code).toBe(code);
    expect(error.row.verdict === 'give_up').toBe(false);
  });

  it('names the status and the type of what came, and nothing of its text', async () => {
    const { error, observations } = await failureAfter({ status: 404, text: '<html>act.secret</html>' });
    expect(error.message).toBe("expected TikTok's JSON envelope, got HTTP 404 with text/html");
    expect(observations[0]?.code).toBe('http_404');
  });

  it('rejects what is not HTTP', async () => {
    const { client, server } = await clientUnderTest();
    const init = client.initDirectVideo(input, context);
    (await server.nextRequest()).respondRaw('SSH-2.0-OpenSSH_9.2\r\n\r\n');
    expect((await rejection(init)).code).toBe('TRANSPORT_BAD_ANSWER');
  });
});

describe('a call without an answer', () => {
  it('knows that nothing was sent when nobody listens', async () => {
    const { client } = await clientUnderTest({ apiBaseUrl: await unusedUrl() });
    const error = await rejection(client.initDirectVideo(input, context));
    expect(error).toMatchObject({ code: 'TRANSPORT_CONNECT_FAILED', row: { outcomeKnown: true } });
    expect(error.message).toMatch(/^could not connect to 127\.0\.0\.1:\d+: ECONNREFUSED$/);
  });

  it('knows that nothing was sent when TLS does not come about', async () => {
    const { server, client } = await clientUnderTest();
    const tls = await clientUnderTest({ apiBaseUrl: server.url.replace('http:', 'https:') });
    const error = await rejection(tls.client.initDirectVideo(input, context));
    expect(error.code).toBe('TRANSPORT_CONNECT_FAILED');
    expect(client).toBeDefined();
  });

  it('knows that nothing was sent when the name does not resolve', async () => {
    const { client } = await clientUnderTest({ apiBaseUrl: 'http://no-such-host.invalid' });
    expect((await rejection(client.initDirectVideo(input, context))).code).toBe('TRANSPORT_CONNECT_FAILED');
  });

  it('knows that nothing was sent when the token is no header', async () => {
    const { client, server } = await clientUnderTest();
    const error = await rejection(client.initDirectVideo(input, { accessToken: 'act.secret\nx: y' }));
    expect(error.message).toBe('could not create the request: UND_ERR_INVALID_ARG');
    expect(error.row.outcomeKnown).toBe(true);
    expect(server.connectionCount()).toBe(0);
  });

  it('knows nothing when the connection is cut after the request', async () => {
    const { client, server } = await clientUnderTest();
    const init = client.initDirectVideo(input, context);
    const request = await server.nextRequest();
    await request.readBody();
    request.destroy();
    expect(await rejection(init)).toMatchObject({
      code: 'TRANSPORT_NO_ANSWER',
      row: { outcomeKnown: false },
      details: { endpoint: 'direct_init' },
    });
  });

  it('knows nothing when the connection is cut in the midst of the answer', async () => {
    const { client, server } = await clientUnderTest();
    const init = client.initDirectVideo(input, context);
    (await server.nextRequest()).respondRaw('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"data":');
    expect((await rejection(init)).code).toBe('TRANSPORT_NO_ANSWER');
  });

  it('stops waiting at the deadline', async () => {
    const { client, server } = await clientUnderTest({ timeouts: { connectMs: 50, answerMs: 50 } });
    const init = client.initDirectVideo(input, context);
    await server.nextRequest();
    const error = await rejection(init);
    expect(error).toMatchObject({ code: 'TRANSPORT_NO_ANSWER', message: 'no response within 100 ms' });
  });

  it('rejects with the reason of its signal', async () => {
    const { client, server, observations } = await clientUnderTest();
    const controller = new AbortController();
    const init = client.initDirectVideo(input, { ...context, signal: controller.signal });
    await server.nextRequest();
    controller.abort('shutdown');
    await expect(init).rejects.toBe('shutdown');
    expect(observations[0]?.code).toBe('aborted');
  });

  it('rejects with the reason of its signal between two tries as well', async () => {
    const { client, server } = await clientUnderTest({ briefRetry: { firstDelayMs: 60_000, totalMs: 120_000 } });
    const controller = new AbortController();
    const reason = new Error('shutdown');
    const status = client.fetchStatus({ publishId: 'p' }, { ...context, signal: controller.signal });
    (await server.nextRequest()).destroy();
    controller.abort(reason);
    await expect(status).rejects.toBe(reason);
  });

  it('sends nothing once its signal is aborted', async () => {
    const { client, server } = await clientUnderTest();
    const reason = new Error('too late');
    const signal = AbortSignal.abort(reason);
    await expect(client.initDirectVideo(input, { ...context, signal })).rejects.toBe(reason);
    expect(server.connectionCount()).toBe(0);
  });

  it('leaves no listener on a signal that outlives it', async () => {
    const { client, server } = await clientUnderTest();
    const controller = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = controller.signal;
    controller.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener.apply(controller.signal, args);
    };
    controller.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners -= 1;
      removeEventListener.apply(controller.signal, args);
    };
    const init = client.initDirectVideo(input, { ...context, signal: controller.signal });
    (await server.nextRequest()).respondWith({ json: envelope({ publish_id: 'p' }) });
    await init;
    expect(listeners).toBe(0);
  });

  it('says nothing of the token in its error', async () => {
    const { client, server } = await clientUnderTest();
    const init = client.initDirectVideo(input, context);
    (await server.nextRequest()).destroy();
    const error = await rejection(init);
    expect(JSON.stringify([error.message, error.stack, error.details])).not.toContain('act.secret');
  });
});
