import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';

/** An answer to send. */
export interface FakeAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, instead of `json`. */
  readonly text?: string;
}

/** A request that has arrived and waits for the test to decide. */
interface FakeRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Reads the body to its end. */
  readBody(): Promise<Buffer>;
  respondWith(answer: FakeAnswer): void;
  /** Sends these bytes as an answer, HTTP or not, and closes. */
  respondRaw(bytes: string): void;
  /** Cuts the connection. */
  destroy(): void;
}

/** A TikTok on a real socket, with which a test has a conversation: `const request = await server.nextRequest()`. */
export interface FakeTikTok {
  readonly url: string;
  /** The oldest request that no one has asked for yet, or the next to come. */
  nextRequest(): Promise<FakeRequest>;
  /** Connections made so far. */
  connectionCount(): number;
  /** Requests that came but were never asked for. */
  unseenCount(): number;
  close(): Promise<void>;
}

/** Starts the fake on a free port of the loopback interface. */
export async function startFakeTikTok(): Promise<FakeTikTok> {
  const arrived: FakeRequest[] = [];
  const waiting: ((request: FakeRequest) => void)[] = [];
  let connectionCount = 0;
  const server = createServer((message, response) => {
    const request = toFakeRequest(message, response);
    const waiter = waiting.shift();
    if (waiter === undefined) arrived.push(request);
    else waiter(request);
  });
  server.on('connection', () => {
    connectionCount += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    nextRequest: () => {
      const request = arrived.shift();
      return request === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(request);
    },
    connectionCount: () => connectionCount,
    unseenCount: () => arrived.length,
    close: async () => {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

function toFakeRequest(message: IncomingMessage, response: ServerResponse): FakeRequest {
  message.on('error', () => undefined);
  response.on('error', () => undefined);
  return {
    method: message.method ?? '',
    path: message.url ?? '',
    headers: message.headers,
    readBody: async () => {
      const pieces: Buffer[] = [];
      for await (const piece of message) pieces.push(piece);
      return Buffer.concat(pieces);
    },
    respondWith: ({ status = 200, headers = {}, json, text }) => {
      const type = text === undefined ? 'application/json' : 'text/html';
      response.writeHead(status, { 'content-type': type, ...headers });
      response.end(text ?? (json === undefined ? '' : JSON.stringify(json)));
    },
    respondRaw: (bytes) => {
      message.socket.end(bytes);
    },
    destroy: () => {
      message.socket.destroy();
    },
  };
}
