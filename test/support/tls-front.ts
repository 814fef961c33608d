import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { makeCertificate } from './certificates.ts';

/**
 * An HTTPS server in front of servers of this machine, with a certificate of an authority of its own for their names.
 * @param origins http origin by host name; where JSON names one of these origins, it gets the name instead
 */
export async function startTlsFront(origins: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-tls-front-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const caFile = join(folder, 'ca.pem');
  const names = Object.keys(origins);
  await makeCertificate(
    folder,
    'front',
    names.map((name) => `DNS:${name}`),
  );
  const [key, cert] = await Promise.all(['front.key', 'front.pem'].map((name) => readFile(join(folder, name))));
  const server = createServer({ key, cert }, (incoming, outgoing) => {
    const origin = origins[incoming.headers.host ?? ''];
    if (origin === undefined) return void outgoing.writeHead(421).end();
    const { method, url = '/', headers } = incoming;
    const onwards = request(new URL(url, origin), { method, headers }, async (answer) => {
      const body = await renamed(answer, origins);
      const { 'content-length': _, ...kept } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, body === undefined ? answer.headers : kept);
      if (body === undefined) answer.pipe(outgoing);
      else outgoing.end(body);
    });
    onwards.on('error', () => outgoing.destroy());
    incoming.pipe(onwards);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, caFile };
}

async function renamed(answer: IncomingMessage, origins: Readonly<Record<string, string>>) {
  if (!String(answer.headers['content-type']).includes('json')) return undefined;
  const whole = await text(answer);
  return Object.entries(origins).reduce((body, [name, origin]) => body.replaceAll(origin, `https://${name}`), whole);
}
