import { randomBytes } from 'node:crypto';
import type { buildConnector } from 'undici';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { deliverEvent } from '../../../src/callbacks/delivery.ts';
import { createCallbackSigner } from '../../../src/callbacks/signer.ts';
import { createS3Opener } from '../../../src/media/s3-source.ts';
import { openUrlSource } from '../../../src/media/url-source.ts';
import { parseAllowList } from '../../../src/outbound/allow-list.ts';
import { createOutboundAgent } from '../../../src/outbound/outbound-agent.ts';
import { createProxiedAgent } from '../../../src/outbound/proxied-agent.ts';
import type { ProxySettings } from '../../../src/outbound/proxy-settings.ts';
import { startSimulator } from '../../../src/simulator/index.ts';
import { createTikTokClient } from '../../../src/tiktok/index.ts';
import { reachApi } from '../../../src/tiktok/reachability.ts';
import { startCallbackReceiver } from '../../support/callback-receiver.ts';
import { startForwardProxy } from '../../support/forward-proxy.ts';
import { startHostileMediaServer } from '../../support/hostile-media-server.ts';
import { rejection } from '../../support/rejection.ts';

const MP4_START = Buffer.from('0000001c667479706d703432000000006d70343269736f6d61766331', 'hex');
const video = Buffer.concat([MP4_START, randomBytes(100_000)]);
const portOf = (url: string): number => Number(new URL(url).port);
const through = (url: string, except?: string): ProxySettings => ({ https: url, http: url, except });
/** A network that knows no name of the internet. */
const knowsNothing = async () => {
  throw Object.assign(new Error('unknown'), { code: 'ENOTFOUND' });
};

function outboundOf(proxy: ProxySettings, hosts: readonly string[], lookup = knowsNothing) {
  const allowed = parseAllowList(hosts);
  const agent = createOutboundAgent({ allowed, proxy, lookup });
  onTestFinished(() => agent.destroy());
  return { agent, allowed };
}

async function startMedia() {
  const server = await startHostileMediaServer(video);
  onTestFinished(server.close);
  return server;
}

describe('where only a proxy leads out', () => {
  it('a video is read through it, with the login of its address', async () => {
    const proxy = await startForwardProxy(portOf((await startMedia()).origin));
    const url = proxy.url.replace('//', '//me:p%40ss@');
    const outbound = outboundOf(through(url), ['media.example']);
    const source = await openUrlSource('http://media.example/honest/a.mp4', { outbound });
    expect(source.pin.sizeBytes).toBe(video.length);
    await source.close();
    const authorization = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect(proxy.asked[0]).toEqual({ target: 'media.example:80', authorization });
  });

  it('a callback is delivered through it', async () => {
    const receiver = await startCallbackReceiver();
    onTestFinished(receiver.close);
    const proxy = await startForwardProxy(portOf(receiver.url));
    const deps = {
      ...outboundOf(through(proxy.url), ['app.example']),
      ...{ clock: Date, timeoutMs: 5_000, contentType: 'application/json' },
      signer: createCallbackSigner([`whsec_${Buffer.alloc(32, 1).toString('base64')}`]),
    };
    const event = { id: 'e-1', type: 'publish.queued' } as Parameters<typeof deliverEvent>[0];
    const { status } = await deliverEvent(event, 'http://app.example/hook', deps, new AbortController().signal);
    expect(status).toBe(204);
    expect(proxy.asked.map(({ target }) => target)).toEqual(['app.example:80']);
  });

  it('TikTok is called through it, and doctor asks there', async () => {
    const simulator = await startSimulator();
    onTestFinished(() => simulator.close());
    const { accessToken } = simulator.addAccount();
    const proxy = await startForwardProxy(portOf(simulator.url));
    const tiktok = createTikTokClient({ apiBaseUrl: 'http://tiktok.example', proxy: through(proxy.url) });
    onTestFinished(() => tiktok.close());
    expect(await tiktok.queryCreatorInfo({ accessToken })).toHaveProperty('privacyLevelOptions');
    await reachApi('http://tiktok.example', Date.now, through(proxy.url));
    expect(proxy.asked.map(({ target }) => target)).toEqual(['tiktok.example:80', 'tiktok.example:80']);
  });

  it('an object is read through it, and what refuses there is named', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, 'of-a-test');
    onTestFinished(() => void vi.unstubAllEnvs());
    const storage = { endpoint: 'http://storage.example', region: 'x', forcePathStyle: true };
    const proxy = await startForwardProxy(portOf((await startMedia()).origin));
    const objects = createS3Opener({ ...storage, proxy: through(proxy.url) });
    onTestFinished(() => objects.close());
    const source = await objects.open({ bucket: 'honest', key: 'a.mp4' });
    expect(source.pin.sizeBytes).toBe(video.length);
    await source.close();
    expect(proxy.asked.map(({ target }) => target)).toEqual(['storage.example:80']);
    const refusing = await startForwardProxy(1, { status: 403 });
    const refused = createS3Opener({ ...storage, proxy: through(refusing.url) });
    onTestFinished(() => refused.close());
    const error = await rejection(refused.open({ bucket: 'honest', key: 'a.mp4' }));
    expect(error).toMatchObject({ code: 'OUTBOUND_UNREACHABLE' });
    expect(error.message).toContain('HTTP 403 from the proxy');
  });

  it.each([
    ['10.0.0.0/8', 'http://10.1.2.3', 'direct'],
    ['192.168.0.0/16, 10.0.0.0/8', 'http://10.1.2.3', 'direct'],
    ['10.1.2.3', 'http://10.1.2.3', 'direct'],
    ['fd00::/8', 'http://[fd00::1]', 'direct'],
    ['fd00::1', 'http://[fd00::1]', 'direct'],
    ['10.0.0.0/8', 'http://11.1.2.3', 'proxy'],
    ['10.0.0.0/8', 'http://[fd00::1]', 'proxy'],
    // A name is not resolved for it, as curl does not.
    ['10.0.0.0/8', 'http://media.example', 'proxy'],
    ['*.media.example', 'http://a.media.example', 'direct'],
    ['10.0.0.0/8,*', 'http://media.example', 'direct'],
  ])('NO_PROXY=%s leads %s to: %s', async (except, origin, way) => {
    const ways: string[] = [];
    const noting = (name: string) =>
      ((_target, callback) => {
        ways.push(name);
        callback(new Error('far enough'), null);
      }) satisfies buildConnector.connector;
    const agent = createProxiedAgent({
      ...{ proxy: through('http://127.0.0.1:1', except), connectMs: 5_000 },
      connect: noting('direct'),
      throughProxy: () => noting('proxy'),
    });
    onTestFinished(() => agent.destroy());
    await expect(agent.request({ origin, path: '/', method: 'GET' })).rejects.toThrow('far enough');
    expect(ways).toEqual([way]);
  });

  it('hosts of NO_PROXY and this machine are reached directly', async () => {
    const server = await startMedia();
    const proxy = await startForwardProxy(portOf(server.origin));
    const outbound = outboundOf(through(proxy.url, 'example'), ['media.example', ...server.allowHosts]);
    expect(await rejection(openUrlSource('http://media.example/honest/a.mp4', { outbound }))).toMatchObject({
      code: 'OUTBOUND_UNREACHABLE',
    });
    await (await openUrlSource(server.url('honest'), { outbound })).close();
    expect(proxy.asked).toEqual([]);
  });

  it.each([
    ['https://10.0.0.1/a.mp4', 'OUTBOUND_HOST_REFUSED'],
    ['https://169.254.169.254/a.mp4', 'OUTBOUND_HOST_REFUSED'],
    ['https://intranet/a.mp4', 'OUTBOUND_HOST_REFUSED'],
    ['https://nas.local/a.mp4', 'OUTBOUND_HOST_REFUSED'],
    ['http://media.example/a.mp4', 'OUTBOUND_URL_REFUSED'],
  ])('it is not asked for %s', async (url, code) => {
    const proxy = await startForwardProxy(1);
    const outbound = outboundOf(through(proxy.url), []);
    expect(await rejection(openUrlSource(url, { outbound }))).toMatchObject({ code });
    expect(proxy.asked).toEqual([]);
  });

  it('it is not asked for a name that leads to a private address', async () => {
    const proxy = await startForwardProxy(1);
    const outbound = outboundOf(through(proxy.url), [], async () => [{ address: '10.0.0.1', family: 4 }] as never);
    expect(await rejection(openUrlSource('https://evil.example/a.mp4', { outbound }))).toMatchObject({
      code: 'OUTBOUND_HOST_REFUSED',
    });
    expect(proxy.asked).toEqual([]);
  });

  it('a proxy that refuses is named with its status', async () => {
    const proxy = await startForwardProxy(1, { status: 407 });
    const outbound = outboundOf(through(proxy.url), []);
    const error = await rejection(openUrlSource('https://media.example/a.mp4', { outbound }));
    expect(error).toMatchObject({ code: 'OUTBOUND_UNREACHABLE' });
    expect(error.message).toContain('HTTP 407 from the proxy');
  });
});
