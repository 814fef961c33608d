import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { serveParent, settingsOf } from './parent.ts';

/*
 * The least that both sides can publish to: it counts, checks nothing, and says PROCESSING_UPLOAD a fixed number of
 * times, so that every job is polled as often. The strict simulator is for tests.
 */

const { pollsUntilDone, tls } = settingsOf<{ pollsUntilDone: number; tls?: { key: string; cert: string } }>();
const scheme = tls === undefined ? 'http' : 'https';
const polls = new Map<string, number>();
/** When each post began, by its title (ms since the epoch). */
const begunAt = new Map<string, number>();
/** When each post was asked for last (ms since the epoch). */
const polledAt = new Map<string, number>();
const count = { inits: 0, uploads: 0, ended: 0 };
const waiting: { isMet(): boolean; resolve(at: number): void }[] = [];

const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);

function serve(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  const isUpload = request.method === 'PUT';
  request.on('data', (chunk: Buffer) => void (isUpload || chunks.push(chunk)));
  request.on('end', () => answer(request, response, Buffer.concat(chunks).toString()));
}

function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
  if (request.method === 'PUT') uploaded(request, response);
  else if (request.url?.endsWith('/init/')) begun(body, request, response);
  else asked(body, response);
}

function asked(body: string, response: ServerResponse): void {
  const { publish_id: publishId } = JSON.parse(body) as { publish_id: string };
  const poll = (polls.get(publishId) ?? 0) + 1;
  polls.set(publishId, poll);
  polledAt.set(publishId, Date.now());
  const isDone = poll >= pollsUntilDone;
  if (isDone) count.ended += 1;
  ok(response, isDone ? { status: 'PUBLISH_COMPLETE' } : { status: 'PROCESSING_UPLOAD' });
  tell();
}

function begun(body: string, request: IncomingMessage, response: ServerResponse): void {
  const { post_info: post } = JSON.parse(body) as { post_info?: { title: string } };
  if (post !== undefined) begunAt.set(post.title, Date.now());
  const publishId = `v_pub_file~v2-1.${++count.inits}`;
  ok(response, {
    publish_id: publishId,
    upload_url: `${scheme}://${request.headers.host}/upload/?upload_id=${count.inits}`,
  });
}

function uploaded(request: IncomingMessage, response: ServerResponse): void {
  const [, end = 0, total = 0] =
    /bytes \d+-(\d+)\/(\d+)/.exec(request.headers['content-range'] ?? '')?.map(Number) ?? [];
  const isWhole = end + 1 === total;
  if (isWhole) count.uploads += 1;
  response.writeHead(isWhole ? 201 : 206, { 'content-range': `bytes 0-${end}/${total}` }).end();
  tell();
}

function ok(response: ServerResponse, data: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ data, error: { code: 'ok', message: '', log_id: 'bench' } }));
}

function tell(): void {
  for (const [index, { isMet, resolve }] of [...waiting.entries()].toReversed()) {
    if (!isMet()) continue;
    waiting.splice(index, 1);
    resolve(Date.now());
  }
}

server.listen(0, '127.0.0.1', () => {
  serveParent({
    url: () => `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    begunAt: () => Object.fromEntries(begunAt),
    polledAt: () => Object.fromEntries(polledAt),
    /** Resolves with the time (epoch ms) at which so many of a kind were there. */
    until: ({ kind, number }: { kind: 'uploads' | 'ended'; number: number }) =>
      new Promise<number>((resolve) => {
        waiting.push({ isMet: () => count[kind] >= number, resolve });
        tell();
      }),
  });
});
