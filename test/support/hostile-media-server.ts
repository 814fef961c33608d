import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A half-open range that was asked for. */
interface Asked {
  readonly start: number;
  readonly end: number;
}

/** One request as a misbehaviour sees it. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly video: Buffer;
  readonly asked: Asked;
  /** What a server of good faith would answer with. */
  readonly headers: Record<string, string>;
  /** Requests for this URL that are more than a look at it; the first is 1. */
  readonly nth: number;
  readonly origin: string;
}

type Answer = (exchange: Exchange) => void;

/** What is read of a video before its upload are smaller pieces. */
const LOOK_BYTES = 600_000;

const honest: Answer = ({ response, video, asked, headers }) => {
  response.writeHead(206, headers).end(video.subarray(asked.start, asked.end));
};
const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
  ({ response }) => {
    response.writeHead(code, headers).end(body);
  };
const changedHeaders =
  (change: (headers: Record<string, string>, exchange: Exchange) => Record<string, string | undefined>): Answer =>
  (exchange) => {
    const headers = { ...exchange.headers };
    for (const [name, value] of Object.entries(change(exchange.headers, exchange))) {
      if (value === undefined) delete headers[name];
      else headers[name] = value;
    }
    honest({ ...exchange, headers });
  };
const redirect =
  (location: (exchange: Exchange) => string): Answer =>
  (exchange) => {
    exchange.response.writeHead(302, { location: location(exchange) }).end();
  };
/** Good as long as it is looked at, else as told. */
const onceBegun =
  (answer: Answer): Answer =>
  (exchange) => {
    if (exchange.asked.end - exchange.asked.start > LOOK_BYTES) answer(exchange);
    else honest(exchange);
  };
const onlyFirst =
  (answer: Answer): Answer =>
  (exchange) => {
    if (exchange.nth === 1) answer(exchange);
    else honest(exchange);
  };
const fromSecond =
  (answer: Answer): Answer =>
  (exchange) => {
    if (exchange.nth >= 2) answer(exchange);
    else honest(exchange);
  };
/** As told when a range of a URL is asked for first, also of the range that opens it. */
const onceEach = (answer: Answer): Answer => {
  const seen = new Set<string>();
  return (exchange) => {
    const key = `${exchange.request.url} ${exchange.asked.start}-${exchange.asked.end}`;
    if (seen.has(key)) honest(exchange);
    else answer(exchange);
    seen.add(key);
  };
};
const SIGN_IN = '<!doctype html><title>Sign in</title>';
const wholeAnswer: Answer = ({ response, video, headers }) => {
  const { 'content-range': _, ...rest } = headers;
  response.writeHead(200, { ...rest, 'content-length': String(video.length) }).end(video);
};
const half = ({ start, end }: Asked): number => start + Math.floor((end - start) / 2);

const reset: Answer = ({ response, video, asked, headers }) => {
  response.writeHead(206, headers);
  response.write(video.subarray(asked.start, half(asked)), () => response.destroy());
};
const endless: Answer = ({ response, headers }) => {
  const { 'content-length': _, ...rest } = headers;
  response.writeHead(206, rest);
  const block = randomBytes(262_144);
  const pour = (): void => {
    while (!response.destroyed && response.write(block));
  };
  response.on('drain', pour);
  pour();
};
const chunked =
  (bytes: (exchange: Exchange) => Buffer): Answer =>
  (exchange) => {
    const { 'content-length': _, ...rest } = exchange.headers;
    exchange.response.writeHead(206, rest);
    exchange.response.write(bytes(exchange));
    exchange.response.end();
  };
const drip: Answer = ({ response, video, asked, headers }) => {
  response.writeHead(206, headers);
  let at = asked.start;
  const timer = setInterval(() => response.write(video.subarray(at, ++at)), 50);
  response.on('close', () => clearInterval(timer));
};
const stopMidway: Answer = ({ response, video, asked, headers }) => {
  response.writeHead(206, headers).write(video.subarray(asked.start, half(asked)));
};
const otherEtag = { etag: '"another"' };
const total = (bytes: number): Answer =>
  changedHeaders((_, { asked }) => ({ 'content-range': `bytes ${asked.start}-${asked.end - 1}/${bytes}` }));
const EXPIRED_XML = '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>';
const CHANGED_MIDWAY = Buffer.alloc(1, 0x55);

/** Servers as one meets them, and worse. Paths of the URLs begin with these names. */
const MISBEHAVIOURS = {
  honest,
  'ignores-range': ({ response, video, headers }) => {
    const { 'content-range': _, ...rest } = headers;
    response.writeHead(200, { ...rest, 'content-length': String(video.length) }).end(video);
  },
  'ignores-range-later': onceBegun(({ response, video, headers }) => {
    const { 'content-range': _, ...rest } = headers;
    response.writeHead(200, { ...rest, 'content-length': String(video.length) }).end(video);
  }),
  'other-range': onceBegun(
    changedHeaders((_, { asked, video }) => ({
      'content-range': `bytes ${asked.start + 1}-${asked.end}/${video.length}`,
    })),
  ),
  'no-content-range': onceBegun(changedHeaders(() => ({ 'content-range': undefined }))),
  'size-unknown': changedHeaders((_, { asked }) => ({ 'content-range': `bytes ${asked.start}-${asked.end - 1}/*` })),
  'lies-larger': total(100_000_000),
  'lies-later': onceBegun(total(100_000_000)),
  gzip: changedHeaders(() => ({ 'content-encoding': 'gzip' })),
  'gzip-later': onceBegun(changedHeaders(() => ({ 'content-encoding': 'gzip' }))),
  chunked: chunked(({ video, asked }) => video.subarray(asked.start, asked.end)),
  'chunked-short': onceBegun(chunked(({ video, asked }) => video.subarray(asked.start, half(asked)))),
  'chunked-long': onceBegun(
    chunked(({ video, asked }) => Buffer.concat([video.subarray(asked.start, asked.end), randomBytes(10)])),
  ),
  endless: onceBegun(endless),
  'endless-at-once': endless,
  'short-length': onceBegun(({ response, video, asked, headers }) => {
    const body = video.subarray(asked.start, half(asked));
    response.writeHead(206, { ...headers, 'content-length': String(body.length) }).end(body);
  }),
  drip: onceBegun(drip),
  stops: onceBegun(stopMidway),
  silent: onceBegun(() => undefined),
  'silent-at-once': () => undefined,
  'resets-once': onceBegun(onlyFirst(reset)),
  'resets-always': onceBegun(reset),
  'changes-midway': onceBegun(fromSecond(changedHeaders(() => otherEtag))),
  'changes-size-midway': onceBegun(fromSecond(total(13_000_000))),
  'shrinks-midway': onceBegun(fromSecond(status(416, { 'content-range': 'bytes */10' }))),
  /** The mark of the old version over bytes of the new one: told apart only once it is asked for its mark again. */
  'changes-in-body': (exchange) => {
    const { response, video, asked, headers, nth } = exchange;
    const isChunk = asked.end - asked.start > LOOK_BYTES;
    if (isChunk && nth === 2) {
      response.writeHead(206, headers);
      response.write(video.subarray(asked.start, half(asked)));
      response.end(Buffer.alloc(asked.end - half(asked), CHANGED_MIDWAY));
    } else if (!isChunk && nth >= 2) {
      honest({ ...exchange, headers: { ...headers, ...otherEtag } });
    } else honest(exchange);
  },
  'changes-weak-midway': (exchange) => {
    const isOld = exchange.nth < 2 || exchange.asked.end - exchange.asked.start <= LOOK_BYTES;
    honest({ ...exchange, headers: { ...exchange.headers, etag: isOld ? 'W/"1"' : 'W/"2"' } });
  },
  weak: changedHeaders(() => ({ etag: 'W/"1"' })),
  'modified-only': changedHeaders(() => ({ etag: undefined, 'last-modified': 'Sun, 22 Nov 2026 10:00:00 GMT' })),
  unmarked: changedHeaders(() => ({ etag: undefined })),
  'unmarked-later': onceBegun(changedHeaders(() => ({ etag: undefined }))),
  'to-loopback': redirect(() => 'https://127.0.0.1:1/'),
  'to-metadata': redirect(() => 'http://169.254.169.254/latest/meta-data/'),
  'to-metadata-tls': redirect(() => 'https://169.254.169.254/latest/meta-data/'),
  'to-loopback-later': onceBegun(redirect(() => 'https://127.0.0.1:1/')),
  'to-login': redirect(({ origin }) => origin.replace('//', '//user:secret-of-a-redirect@')),
  'to-honest': redirect(({ origin }) => `${origin}/honest/a.mp4`),
  'to-localhost': redirect(({ origin }) => `${origin.replace('127.0.0.1', 'localhost')}/honest/elsewhere.mp4`),
  /** The last step of the path says how many redirects there still are. */
  'in-a-chain': (exchange) => {
    const left = Number(exchange.request.url?.split('/').at(-1));
    if (left === 0) honest(exchange);
    else redirect(({ origin }) => `${origin}/in-a-chain/${left - 1}`)(exchange);
  },
  'whole-once': onceEach(wholeAnswer),
  'missing-once': onceEach(status(404)),
  'forbidden-once': onceEach(status(403)),
  'page-once': onceEach(status(200, { 'content-type': 'text/html' }, SIGN_IN)),
  'other-version-once': onceEach(onceBegun(changedHeaders(() => otherEtag))),
  'share-link': status(200, { 'content-type': 'text/html; charset=utf-8' }, SIGN_IN),
  'odd-encoding': changedHeaders(() => ({ 'content-encoding': 'Identity, UTF-8' })),
  'odd-range': changedHeaders((_, { asked, video }) => ({
    'content-range': ` bytes=${asked.start} - ${asked.end - 1} / ${video.length} `,
  })),
  'twice-all': ({ response, video, asked, headers }) => {
    for (const name of ['content-range', 'etag']) response.setHeader(name, [headers[name] ?? '', headers[name] ?? '']);
    response.writeHead(206).end(video.subarray(asked.start, asked.end));
  },
  'many-headers': changedHeaders(() => ({ 'x-policy': 'a'.repeat(60_000) })),
  'odd-etag': changedHeaders(() => ({ etag: '"vid\u00e9o"' })),
  /** Raw UTF-8, as servers send it that were given a file name. */
  'to-accents': redirect(({ origin }) => Buffer.from(`${origin}/honest/caf\u00e9 \u2603.mp4`).toString('latin1')),
  'in-circles': redirect(({ origin }) => `${origin}/in-circles/a.mp4`),
  'to-nowhere': status(302),
  'wants-login': (exchange) => {
    const isLoggedIn = exchange.request.headers.authorization === `Basic ${Buffer.from('ann:p@ss').toString('base64')}`;
    if (isLoggedIn) honest(exchange);
    else status(401)(exchange);
  },
  unauthorized: status(401),
  forbidden: status(403),
  expired: status(403, { 'content-type': 'application/xml' }, EXPIRED_XML),
  missing: status(404),
  gone: status(410),
  page: ({ response }) => {
    const body = Buffer.from(SIGN_IN.repeat(200));
    const part = body.subarray(0, 4_096);
    const contentRange = `bytes 0-${part.length - 1}/${body.length}`;
    response.writeHead(206, { 'content-range': contentRange, etag: '"1"' }).end(part);
  },
  empty: status(416, { 'content-range': 'bytes */0' }),
  'too-large': total(4_000_000_001),
  'busy-once': onceBegun(onlyFirst(status(503, { 'retry-after': '0' }))),
  busy: status(503, { 'retry-after': '0' }),
  throttles: status(429, { 'retry-after': '0' }),
  broken: status(500),
} as const satisfies Record<string, Answer>;

export type Misbehaviour = keyof typeof MISBEHAVIOURS;

/** What was asked of the server. */
interface AskedUrl {
  readonly path: string;
  readonly range: string | undefined;
  readonly headers: IncomingMessage['headers'];
}

export type HostileMediaServer = Awaited<ReturnType<typeof startHostileMediaServer>>;

/** Serves one video, by the rules or not, as the first step of the path says. */
export async function startHostileMediaServer(video: Buffer) {
  const asked: AskedUrl[] = [];
  const chunksOf = new Map<string, number>();
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    const path = (request.url ?? '').split('?')[0] ?? '';
    const [, name = ''] = path.split('/');
    asked.push({ path, range: request.headers.range, headers: request.headers });
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (match === null || !isMisbehaviour(name)) {
      response.writeHead(400).end();
      return;
    }
    const start = Number(match[1]);
    const end = Math.min(Number(match[2]) + 1, video.length);
    const nth = (chunksOf.get(path) ?? 0) + (end - start > LOOK_BYTES ? 1 : 0);
    chunksOf.set(path, nth);
    const headers = {
      'content-type': 'video/mp4',
      'content-length': String(end - start),
      'content-range': `bytes ${start}-${end - 1}/${video.length}`,
      etag: '"1"',
    };
    const answer: Answer = MISBEHAVIOURS[name];
    answer({ request, response, video, asked: { start, end }, headers, nth, origin });
  });
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    origin,
    /** What opens this server in `OUTBOUND_ALLOW_HOSTS`, and no other of this machine. */
    allowHosts: [`127.0.0.1:${port}`, `localhost:${port}`],
    asked,
    connections: () => connections,
    url: (name: Misbehaviour, file = `${randomBytes(6).toString('hex')}.mp4`): string => `${origin}/${name}/${file}`,
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function isMisbehaviour(name: string): name is Misbehaviour {
  return Object.hasOwn(MISBEHAVIOURS, name);
}
