import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);

/**
 * An HTTPS server in front of servers of this machine, with a certificate of an authority of its own for their names.
 * @param origins http origin by host name; where JSON names one of these origins, it gets the name instead
 */
export async function startTlsFront(origins: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-tls-front-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const caFile = join(folder, 'ca.pem');
  const names = Object.keys(origins);
  await makeCertificate(folder, names);
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

async function makeCertificate(folder: string, names: readonly string[]): Promise<void> {
  const openssl = async (line: string) => void (await run('openssl', line.split(' '), { cwd: folder }));
  const altNames = names.map((name) => `DNS:${name}`).join(',');
  await openssl('req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=authority-of-a-test');
  await openssl(
    `req -newkey rsa:2048 -nodes -keyout front.key -out front.csr -subj /CN=front -addext subjectAltName=${altNames}`,
  );
  await openssl(
    'x509 -req -in front.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copy -out front.pem',
  );
}
