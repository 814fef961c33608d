import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request that a receiver got. */
interface ReceivedCallback {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The event's id, as `webhook-id` says it. */
  readonly id: string;
}

/** Answers one request; the index counts from 0. */
export type CallbackAnswer = (response: ServerResponse, request: ReceivedCallback, index: number) => void;

export type CallbackReceiver = Awaited<ReturnType<typeof startCallbackReceiver>>;

/** A receiver of callbacks over real HTTP on 127.0.0.1; it answers 204 unless told. */
export async function startCallbackReceiver(answer: CallbackAnswer = (response) => void response.writeHead(204).end()) {
  const received: ReceivedCallback[] = [];
  const arrivals = new EventEmitter();
  let answerWith = answer;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const id = String(request.headers['webhook-id'] ?? '');
    const callback = { path: request.url ?? '', headers: request.headers, body, id };
    received.push(callback);
    answerWith(response, callback, received.length - 1);
    arrivals.emit('arrival');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answerWith(next: CallbackAnswer) {
      answerWith = next;
    },
    /** Resolves once so many requests have come. */
    async arrived(count: number): Promise<void> {
      while (received.length < count) await once(arrivals, 'arrival');
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
