import { execFileSync } from 'node:child_process';
import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { type Dispatcher, request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAllowList } from '../../../src/outbound/allow-list.ts';
import { createOutboundAgent, type Lookup } from '../../../src/outbound/outbound-agent.ts';
import { toOutboundError } from '../../../src/outbound/outbound-error.ts';
import { rejection } from '../../support/rejection.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server on 127.0.0.1 that counts connections and requests. */
async function startServer(): Promise<{
  port: number;
  seen: { connections: number; requests: number };
  server: Server;
}> {
  const seen = { connections: 0, requests: 0 };
  const server = createServer((_request, response) => {
    seen.requests += 1;
    response.end('here');
  }).on('connection', () => {
    seen.connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen, server };
}

/** A resolver that gives one answer after the other, the last one for ever. */
function answers(...each: string[][]): { lookup: Lookup; asked: () => number } {
  let count = 0;
  const lookup: Lookup = async () => {
    const addresses = each[Math.min(count, each.length - 1)] ?? [];
    count += 1;
    return addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { lookup, asked: () => count };
}

function agentFor(allowed: string[], lookup?: Lookup): Dispatcher {
  const agent = createOutboundAgent({
    allowed: parseAllowList(allowed),
    connectMs: 2_000,
    stallMs: 300,
    ...(lookup !== undefined && { lookup }),
  });
  closers.push(() => agent.destroy());
  return agent;
}

/** What came of a GET: `200`, or the stable code of the error. */
async function get(agent: Dispatcher, url: string): Promise<string> {
  try {
    const { statusCode, body } = await request(url, { dispatcher: agent });
    await body.dump();
    return String(statusCode);
  } catch (error) {
    return toOutboundError(error, new URL(url).host).code;
  }
}

describe('the outbound agent', () => {
  it('reaches this machine only where the allow-list opens it, by name, by name and port, or by network', async () => {
    const { port, seen } = await startServer();
    const { lookup } = answers(['127.0.0.1']);
    for (const entry of ['receiver.test', `receiver.test:${port}`, '127.0.0.0/8']) {
      expect(await get(agentFor([entry], lookup), `http://receiver.test:${port}/`)).toBe('200');
    }
    expect(seen.requests).toBe(3);
    for (const entries of [[], ['other.test'], [`receiver.test:${port + 1}`], ['10.0.0.0/8']]) {
      const agent = agentFor(entries, lookup);
      expect(await get(agent, `http://receiver.test:${port}/`)).toBe('OUTBOUND_URL_REFUSED');
      expect(await get(agent, `https://receiver.test:${port}/`)).toBe('OUTBOUND_HOST_REFUSED');
    }
    expect(seen.connections).toBe(3);
  });

  it.each(['127.0.0.1', '[::1]', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', 'localhost', '127.1'])(
    'does not connect to https://%s',
    async (host) => {
      const { port, seen } = await startServer();
      expect(await get(agentFor([]), `https://${host}:${port}/`)).toBe('OUTBOUND_HOST_REFUSED');
      expect(seen.connections).toBe(0);
    },
  );

  it.each([
    '10.0.0.1',
    '169.254.169.254',
    'fd00:ec2::254',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
    '0.0.0.0',
    '100.64.1.1',
  ])('does not connect where a public name resolves to %s', async (address) => {
    const { lookup } = answers([address]);
    expect(await get(agentFor([], lookup), 'https://public.test/')).toBe('OUTBOUND_HOST_REFUSED');
  });

  it('connects to the address that it checked: a name that answers differently the second time gains nothing', async () => {
    const { port, seen } = await startServer();
    // 192.0.2.0/24 is opened here and leads nowhere; asked again, the name would lead to this machine.
    const { lookup, asked } = answers(['192.0.2.1'], ['127.0.0.1']);
    const agent = createOutboundAgent({ allowed: parseAllowList(['192.0.2.0/24']), connectMs: 300, lookup });
    closers.push(() => agent.destroy());
    expect(await get(agent, `http://rebinding.test:${port}/`)).toBe('OUTBOUND_UNREACHABLE');
    expect(asked()).toBe(1);
    expect(await get(agent, `http://rebinding.test:${port}/`)).toBe('OUTBOUND_URL_REFUSED');
    expect(asked()).toBe(2);
    expect(seen.connections).toBe(0);
  });

  it('leaves out the private ones among the addresses of a name', async () => {
    const { port, seen } = await startServer();
    const { lookup } = answers(['10.0.0.1', '127.0.0.1']);
    expect(await get(agentFor(['127.0.0.0/8'], lookup), `http://mixed.test:${port}/`)).toBe('200');
    expect(seen.connections).toBe(1);
  });

  it('says that nothing was sent where nobody listens or the name does not exist', async () => {
    const { port, server } = await startServer();
    server.close();
    const { lookup } = answers(['127.0.0.1']);
    expect(await get(agentFor(['gone.test'], lookup), `http://gone.test:${port}/`)).toBe('OUTBOUND_UNREACHABLE');
    const unknown: Lookup = async () => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND nowhere.test'), { code: 'ENOTFOUND' });
    };
    expect(await get(agentFor([], unknown), 'https://nowhere.test/')).toBe('OUTBOUND_UNREACHABLE');
  });

  it('says the same of names of the own network that exist and that do not', async () => {
    const lookup = async (name: string) => {
      if (name.startsWith('there')) return [{ address: '10.0.0.5', family: 4 }];
      throw Object.assign(new Error('unknown'), { code: 'ENOTFOUND' });
    };
    for (const domain of ['internal', 'corp', 'local', 'lan', 'home.arpa', 'svc']) {
      const texts = await Promise.all(
        ['there', 'nowhere'].map(async (name) => {
          const asked = agentFor([], lookup).request({ origin: `https://${name}.${domain}`, path: '/', method: 'GET' });
          const error = toOutboundError(await rejection(asked), `x.${domain}`);
          return [error.code, error.message.replace(name, 'x')];
        }),
      );
      expect(texts[0]).toEqual(texts[1]);
      expect(texts[0]?.[0]).toBe('OUTBOUND_HOST_REFUSED');
    }
  });

  it('gives up on a host that takes the request and says nothing', async () => {
    const { port, server } = await startServer();
    server.removeAllListeners('request');
    const { lookup } = answers(['127.0.0.1']);
    expect(await get(agentFor(['slow.test'], lookup), `http://slow.test:${port}/`)).toBe('OUTBOUND_NO_ANSWER');
  });

  it('follows no redirect', async () => {
    const { port, server, seen } = await startServer();
    server.removeAllListeners('request');
    server.on('request', (_request, response) => {
      seen.requests += 1;
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    const { lookup } = answers(['127.0.0.1']);
    expect(await get(agentFor(['receiver.test'], lookup), `http://receiver.test:${port}/`)).toBe('302');
    expect(seen.requests).toBe(1);
  });

  const openssl = hasOpenssl();
  it.skipIf(!openssl)(
    `names the host to TLS and insists on its certificate${openssl ? '' : ' (skipped: no openssl)'}`,
    async () => {
      const names: string[] = [];
      const folder = mkdtempSync(join(tmpdir(), 'tiktok-publisher-tls-'));
      closers.push(() => rmSync(folder, { recursive: true }));
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      const subject = ['-subj', '/CN=receiver.test', '-keyout', key, '-out', cert];
      execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject], {
        stdio: 'ignore',
      });
      const server = createTlsServer({
        key: readFileSync(key),
        cert: readFileSync(cert),
        SNICallback: (name, callback) => {
          names.push(name);
          callback(null);
        },
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      closers.push(() => void server.close());
      const { lookup } = answers(['127.0.0.1']);
      const url = `https://receiver.test:${(server.address() as AddressInfo).port}/`;
      const outcome = await request(url, { dispatcher: agentFor(['receiver.test'], lookup) }).catch((error: unknown) =>
        toOutboundError(error, 'receiver.test'),
      );
      expect(outcome).toMatchObject({ code: 'OUTBOUND_UNREACHABLE' });
      expect(String(outcome)).toMatch(/SELF_SIGNED/);
      expect(names).toEqual(['receiver.test']);
    },
  );
});

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
