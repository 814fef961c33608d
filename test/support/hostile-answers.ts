import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import fc from 'fast-check';

/** An answer as it goes over the wire, whether or not it is one. */
export interface HostileAnswer {
  /** Status line and headers, Latin-1. */
  readonly head: string;
  /** `{secret}` stands for what the request was authorized with. */
  readonly body: string;
  /** All at once, in pieces, or only a part of it: then silence, an end, a reset, or drop by drop without an end. */
  readonly delivery: 'whole' | 'pieces' | 'silent' | 'end' | 'reset' | 'drip';
  /** Where the part ends, from 0 to 1. */
  readonly part: number;
}

const STATUS_LINES = [
  ...[
    'HTTP/1.1 200 OK',
    'HTTP/1.1 206 Partial Content',
    'HTTP/1.1 201 Created',
    'HTTP/1.1 204 No Content',
    'HTTP/1.0 200',
  ],
  ...['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK', 'HTTP/1.1 101 Switching Protocols', 'HTTP/1.1 102 Processing'],
  ...['HTTP/1.1 301 Moved', 'HTTP/1.1 302 Found', 'HTTP/1.1 307 Again', 'HTTP/1.1 304 Not Modified', 'HTTP/1.1 401 No'],
  ...[
    'HTTP/1.1 403 No',
    'HTTP/1.1 404 No',
    'HTTP/1.1 410 Gone',
    'HTTP/1.1 416 Range',
    'HTTP/1.1 429 Slow',
    'HTTP/1.1 500 x',
  ],
  ...[
    'HTTP/1.1 503 x',
    'HTTP/1.1 599 x',
    'HTTP/1.1 999 x',
    'HTTP/1.1 0 x',
    'HTTP/1.1 -1 x',
    'HTTP/2 200 OK',
    'HTTP/9.9 200 OK',
  ],
  ...['ICY 200 OK', '200', '', 'SSH-2.0-OpenSSH_9.2', '\u0016\u0003\u0001\u0002', '<html>', '{"error":{"code":"ok"}}'],
];
const HEADERS = [
  ...['content-type: application/json', 'content-type: text/html', 'content-type: \u0000', 'content-encoding: gzip'],
  ...[
    'content-length: 0',
    'content-length: 1',
    'content-length: 99999999999',
    'content-length: -1',
    'content-length: x',
  ],
  ...['transfer-encoding: chunked', 'transfer-encoding: gzip, chunked', 'connection: close', 'connection: upgrade'],
  ...[
    'retry-after: -1',
    'retry-after: 99999999999999999999',
    'retry-after: Thu, 01 Jan 1970 00:00:00 GMT',
    'retry-after: x',
  ],
  ...[
    'content-range: bytes 0-4095/100000',
    'content-range: bytes 0-0/0',
    'content-range: bytes 9-1/-5',
    'content-range: bytes */x',
  ],
  ...['content-range: bytes 0-99999999999999999999/99999999999999999999', 'etag: "1"', 'etag: W/"', 'last-modified: x'],
  ...[
    'location: http://169.254.169.254/',
    'location: //[',
    'location: /again',
    'location: javascript:alert(1)',
    'location: file:///etc/passwd',
  ],
  ...['date: never', 'set-cookie: a=b', ': no name', 'no colon', ' folded: x', 'x: \u001b[2J', 'trailer: x'],
];
const TEXTS = ['{secret}', '\u001b[2J\u202e', '__proto__', 'ok', '//@//@', '\ud800', 'https://'];
const text = fc.oneof(
  { weight: 12, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
  { weight: 12, arbitrary: fc.constantFrom(...TEXTS) },
  // Rare, since an answer has dozens of texts.
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...TEXTS, 'x', '9'), fc.integer({ min: 1, max: 20_000 }))
      .map(([part, times]) => part.repeat(times)),
  },
);
const anyValue = fc.anything({
  key: fc.oneof(text, fc.constantFrom('code', 'data', 'error', 'message')),
  values: [text, fc.double(), fc.maxSafeInteger(), fc.boolean(), fc.constant(null)],
  maxDepth: 3,
});
const envelope = fc
  .record({
    data: fc.dictionary(
      fc.constantFrom(...['publish_id', 'upload_url', 'status', 'fail_reason', 'uploaded_bytes', 'creator_username']),
      anyValue,
    ),
    error: fc.record({
      code: fc.oneof(fc.constantFrom('ok', 'access_token_invalid', 'rate_limit_exceeded', 'internal_error'), anyValue),
      message: anyValue,
      log_id: anyValue,
    }),
  })
  .chain((whole) =>
    fc.oneof(
      fc.constant(whole as unknown),
      anyValue.map((data) => ({ ...whole, data })),
    ),
  );
const grant = fc.dictionary(
  fc.constantFrom(...['access_token', 'refresh_token', 'expires_in', 'open_id', 'scope', 'token_type', 'error']),
  anyValue,
);
const deep = fc
  .tuple(fc.integer({ min: 1, max: 60_000 }), fc.constantFrom(['[', ']'], ['{"a":', '}']))
  .map(([levels, [begin = '', end = '']]) => `${begin.repeat(levels)}1${end.repeat(levels)}`);
const large = fc
  .tuple(fc.integer({ min: 1, max: 3_000_000 }), fc.constantFrom('x', '{"a":[', '9'))
  .map(([length, part]) => part.repeat(Math.ceil(length / part.length)));
const body = fc.oneof(
  { weight: 8, arbitrary: envelope.map((value) => JSON.stringify(value) ?? '') },
  { weight: 4, arbitrary: grant.map((value) => JSON.stringify(value) ?? '') },
  { weight: 4, arbitrary: text },
  { weight: 2, arbitrary: deep },
  { weight: 1, arbitrary: large },
  { weight: 1, arbitrary: fc.constantFrom('5\r\nhello\r\n0\r\n\r\n', 'fffffff\r\n', 'x\r\n', '0\r\nx: y\r\n\r\n') },
);
const headers = fc.oneof(
  { weight: 9, arbitrary: fc.array(fc.constantFrom(...HEADERS), { maxLength: 5 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 4_000 }).map((count) => Array<string>(count).fill('x-a: b')) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 200_000 }).map((length) => [`x: ${'y'.repeat(length)}`]) },
);

/** Answers that no server should give, next to some that it might. */
export const hostileAnswers: fc.Arbitrary<HostileAnswer> = fc.record({
  head: fc
    .tuple(
      fc.oneof({ weight: 5, arbitrary: fc.constant('HTTP/1.1 200 OK') }, fc.constantFrom(...STATUS_LINES)),
      headers,
    )
    .map(([status, lines]) => [status, ...lines].join('\r\n')),
  body,
  delivery: fc.oneof(
    { weight: 24, arbitrary: fc.constantFrom('whole' as const, 'pieces' as const, 'end' as const, 'reset' as const) },
    { weight: 1, arbitrary: fc.constantFrom('silent' as const, 'drip' as const) },
  ),
  part: fc.double({ min: 0, max: 1, noNaN: true }),
});

const DRIP_MS = 20;
const PIECES = 3;

/**
 * A server that gives to each request the answer of its number, which is named anywhere in it as `fuzz-<number>-`.
 * @param answers by number; a request without one is answered by hanging up
 */
export async function startHostileServer(answers: ReadonlyMap<number, HostileAnswer>) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let request = '';
    socket.on('data', (bytes) => {
      request += bytes.toString('latin1');
      const number = /fuzz-(\d+)-\w*/.exec(request);
      if (number === null && !request.includes('\r\n\r\n')) return;
      const answer = answers.get(Number(number?.[1]));
      request = '';
      if (answer === undefined) socket.destroy();
      else giveAnswer(socket, answer, number?.[0] ?? '');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends an answer as it is to be delivered. @param secret what `{secret}` stands for */
export function giveAnswer(socket: Socket, { head, body: text, delivery, part }: HostileAnswer, secret: string): void {
  const content = Buffer.from(text.replaceAll('{secret}', secret));
  const hasLength = /^(content-length|transfer-encoding)/im.test(head);
  const length = hasLength ? '' : `\r\ncontent-length: ${content.length}`;
  const bytes = Buffer.concat([Buffer.from(`${head}${length}\r\n\r\n`, 'latin1'), content]);
  const first = bytes.subarray(0, Math.floor(bytes.length * part));
  switch (delivery) {
    case 'whole':
      socket.write(bytes);
      return;
    case 'pieces':
      for (let at = 0; at < PIECES; at += 1) {
        const edge = (index: number) => Math.floor((bytes.length * index) / PIECES);
        socket.write(bytes.subarray(edge(at), edge(at + 1)));
      }
      return;
    case 'silent':
      socket.write(first);
      return;
    case 'end':
      socket.end(first);
      return;
    case 'reset':
      socket.write(first, () => socket.resetAndDestroy());
      return;
    case 'drip': {
      socket.write(first);
      const timer = setInterval(() => socket.write(' '), DRIP_MS);
      socket.on('close', () => clearInterval(timer));
    }
  }
}
