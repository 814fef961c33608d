import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Simulator } from '../../src/simulator/index.ts';
import { eventually } from '../support/eventually.ts';
import { put } from './api-calls.ts';
import { initDraft, initFile, start } from './simulators.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An app's webhook address that answers with these statuses in turn, and 200 after them. */
async function startReceiver(...statuses: number[]) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: await text(request) });
    response.writeHead(statuses.shift() ?? 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/hook`, received };
}

const eventsOf = (received: readonly Received[]) =>
  received.map(({ body }) => (JSON.parse(body) as { event: string }).event);

function signatureOf({ headers, body }: Received, simulator: Simulator) {
  const [, t = '', s = ''] = /^t=(\d+),s=([0-9a-f]{64})$/.exec(String(headers['tiktok-signature'])) ?? [];
  const expected = createHmac('sha256', simulator.clientSecret).update(`${t}.${body}`).digest('hex');
  return { t: Number(t), isValid: s === expected };
}

describe('webhooks', () => {
  it('report what becomes of a post, signed, with every digit of its id', async () => {
    const { url, received } = await startReceiver();
    const simulator = await start({ processingMs: 20, moderationMs: 60, webhooks: { url } });
    const account = simulator.addAccount();
    const { publishId, uploadUrl } = await initFile(simulator, account, 1_000, { privacy_level: 'PUBLIC_TO_EVERYONE' });
    await put(uploadUrl, Buffer.alloc(1_000), 0, 1_000);
    await eventually(() => {
      if (received.length < 2) throw new Error('not all arrived');
    });
    expect(eventsOf(received)).toEqual(['post.publish.complete', 'post.publish.publicly_available']);
    expect(received.every((one) => signatureOf(one, simulator).isValid)).toBe(true);
    const last = JSON.parse(received[1]?.body ?? '') as Record<string, string>;
    expect(last).toMatchObject({ client_key: simulator.clientKey, user_openid: account.openId });
    const [postId] = simulator.journal.publishes()[0]?.posts ?? [];
    expect(last.content).toBe(`{"publish_id":"${publishId}","publish_type":"DIRECT_POST","post_id":${postId}}`);
  });

  it('report a draft, and each post that its creator makes of it', async () => {
    const { url, received } = await startReceiver();
    const simulator = await start({ processingMs: 0, switches: { publicWebhookSpelling: 'publicaly_available' } });
    simulator.sendWebhooksTo({ url });
    const { publishId, uploadUrl } = await initDraft(simulator, simulator.addAccount(), 1_000);
    await put(uploadUrl, Buffer.alloc(1_000), 0, 1_000);
    await eventually(() => {
      if (received.length < 1) throw new Error('no draft yet');
    });
    simulator.postDraft(publishId);
    await eventually(() => {
      if (received.length < 3) throw new Error('no post yet');
    });
    expect(eventsOf(received).sort()).toEqual([
      'post.publish.complete',
      'post.publish.inbox_delivered',
      'post.publish.publicaly_available',
    ]);
  });

  it('come again, signed anew, until they are answered with 200', async () => {
    const { url, received } = await startReceiver(500, 202);
    const simulator = await start({ webhooks: { url, firstRetryMs: 1_100 } });
    const { openId } = simulator.addAccount();
    simulator.revokeGrant(openId);
    await eventually(
      () => {
        if (simulator.webhooks[0]?.answers.length !== 3) throw new Error('still trying');
      },
      { timeoutMs: 10_000 },
    );
    expect(simulator.webhooks[0]).toMatchObject({ event: 'authorization.removed', openId, answers: [500, 202, 200] });
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    const times = received.map((one) => signatureOf(one, simulator)).map(({ t, isValid }) => (isValid ? t : 0));
    expect(times[2]).toBeGreaterThan(times[1] ?? 0);
    expect(times[1]).toBeGreaterThan(times[0] ?? 0);
  });

  it('come twice at the rate that was asked for', async () => {
    const { url, received } = await startReceiver();
    const simulator = await start({ webhooks: { url, duplicates: 1 } });
    simulator.revokeGrant(simulator.addAccount().openId);
    await eventually(() => {
      if (received.length < 2) throw new Error('only once');
    });
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  });

  it('are set up over the control plane, too', async () => {
    const { url, received } = await startReceiver();
    const simulator = await start();
    const set = (target: unknown) =>
      fetch(`${simulator.url}/__simulator/webhooks`, { method: 'POST', body: JSON.stringify({ target }) });
    expect((await set({ url: 'nowhere' })).status).toBe(400);
    expect((await set({ url })).status).toBe(200);
    simulator.revokeGrant(simulator.addAccount().openId);
    await eventually(() => {
      if (received.length < 1) throw new Error('none yet');
    });
    expect((await set(null)).status).toBe(200);
    simulator.revokeGrant(simulator.addAccount().openId);
    const sent = await (await fetch(`${simulator.url}/__simulator/webhooks`)).json();
    expect(sent).toMatchObject([{ event: 'authorization.removed', answers: [200] }]);
  });
});
