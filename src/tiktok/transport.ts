import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { buildConnector, type Dispatcher } from 'undici';
import { type DeadlineOptions, withDeadline } from '../core/deadline.ts';
import { parseRetryAfterMs } from '../core/retry-after.ts';
import { SECOND_MS } from '../core/units.ts';
import { createProxiedAgent } from '../outbound/proxied-agent.ts';
import type { ProxySettings } from '../outbound/proxy-settings.ts';
import { classifyNetworkError, DeadlineReachedError, NothingSentError, type RawAnswer } from './classify-error.ts';
import type { Observer } from './observe-request.ts';
import type { BriefRetry } from './retry.ts';

/** Longest times of a call (ms). */
export interface TikTokTimeouts {
  /** Until a connection, TLS included, stands. Default 10 s. */
  readonly connectMs: number;
  /** From the start of an API call to the last byte of its answer. Default 30 s. */
  readonly answerMs: number;
  /** Without a byte moving in an upload; its answer has this and `answerMs` after the last byte. Default 30 s. */
  readonly stallMs: number;
}

export const DEFAULT_TIMEOUTS: TikTokTimeouts = {
  connectMs: 10 * SECOND_MS,
  answerMs: 30 * SECOND_MS,
  stallMs: 30 * SECOND_MS,
};

/** For an answer that came while this process was frozen. */
const READING_MS = 100;
/** No documented answer is larger than a few kB. */
const MAX_ANSWER_BYTES = 1_000_000;

/** Nothing of it is read. */
const MAX_UPLOAD_ANSWER_BYTES = 65_536;

/** Gateways distrust calls that don't say who they are. */
const USER_AGENT = 'tiktok-publisher';

interface Call {
  /** Its name in errors. */
  readonly endpoint: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

/** An API call: a POST with a body that is sent as it is. */
interface ApiPost extends Call {
  readonly body: string;
  /**
   * Whether to open a connection of its own. Calls that must not be repeated blindly do, since a kept connection may be
   * closed by the other side just when the call goes out, and then nobody knows whether it arrived.
   */
  readonly ownConnection: boolean;
  /** The credentials in headers and body. */
  readonly sentSecrets: readonly string[];
}

interface ChunkPut extends Call {
  readonly body: AsyncIterable<Uint8Array>;
}

/** Moves bytes to TikTok and back; knows nothing of what they mean. Follows no redirect. */
export interface Transport {
  /** @throws PublishError `TRANSPORT_*`; rejects with the signal's reason when aborted */
  post(call: ApiPost): Promise<RawAnswer>;
  /** @throws PublishError `TRANSPORT_*`, `UPLOAD_STALLED`, or what the body threw; rejects with the signal's reason */
  put(call: ChunkPut): Promise<RawAnswer>;
  close(): Promise<void>;
}

function answerDeadline({ connectMs, answerMs }: TikTokTimeouts, signal: AbortSignal | undefined): DeadlineOptions {
  const withinMs = connectMs + answerMs;
  return { withinMs, signal, readingMs: READING_MS, reason: () => new DeadlineReachedError(withinMs) };
}

/** Opens nothing yet; connections are made as calls need them. */
export function createTransport(timeouts: TikTokTimeouts, proxy?: ProxySettings): Transport {
  const { connectMs } = timeouts;
  const connect = markingFailures(buildConnector({ timeout: connectMs }));
  const shared = { connect, throughProxy: markingFailures, connectMs, proxy, maxResponseSize: MAX_ANSWER_BYTES };
  const keptConnections = createProxiedAgent({ ...shared, headersTimeout: 0, bodyTimeout: 0 });
  const ownConnections = createProxiedAgent({ ...shared, headersTimeout: 0, bodyTimeout: 0, pipelining: 0 });
  // undici restarts headersTimeout whenever the socket takes bytes, so it is the stall timeout of an upload.
  const uploads = createProxiedAgent({ ...shared, headersTimeout: timeouts.stallMs, bodyTimeout: timeouts.stallMs });
  const agents = [keptConnections, ownConnections, uploads];
  return {
    post: (call) =>
      classified(call, 'TRANSPORT_NO_ANSWER', () =>
        withDeadline(answerDeadline(timeouts, call.signal), async (signal) => {
          const agent = call.ownConnection ? ownConnections : keptConnections;
          const answer = await send(agent, 'POST', call, call.body, signal);
          return toRawAnswer(answer, await answer.body.text(), call.sentSecrets);
        }),
      ),
    put: (call) =>
      classified(call, 'UPLOAD_STALLED', () =>
        withAnswerInTime(call, timeouts, async (body, signal, onAnswer) => {
          const answer = await send(uploads, 'PUT', call, asRequestBody(body), signal);
          onAnswer();
          // The status line alone is the answer: a body that breaks off takes nothing from it.
          await answer.body.dump({ limit: MAX_UPLOAD_ANSWER_BYTES, signal }).catch(() => undefined);
          // undici frees a connection one turn after its answer: without this the next chunk would open another.
          await setImmediate();
          return toRawAnswer(answer, '', []);
        }),
      ),
    close: async () => {
      await Promise.all(agents.map((agent) => agent.destroy()));
    },
  };
}

/**
 * Runs an upload within a deadline that begins with the last byte of the file, or with an answer before that: the bytes may
 * take what they need, but an answer that comes drop by drop must not hold its place for ever.
 */
async function withAnswerInTime<T>(
  { body, signal }: ChunkPut,
  { answerMs, stallMs }: TikTokTimeouts,
  run: (body: AsyncIterable<Uint8Array>, signal: AbortSignal, onAnswer: () => void) => Promise<T>,
): Promise<T> {
  const upload = new AbortController();
  const abort = () => upload.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  // The last bytes may still be on their way out of this process.
  const withinMs = stallMs + answerMs;
  let timer: NodeJS.Timeout | undefined;
  const startTimer = () => {
    timer ??= setTimeout(() => upload.abort(new DeadlineReachedError(withinMs)), withinMs);
  };
  async function* timed() {
    yield* body;
    startTimer();
  }
  try {
    return await run(timed(), upload.signal, startTimer);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** A connector, with every failure marked as one before which nothing was sent. */
function markingFailures(connector: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connector(options, (...outcome) => {
      if (outcome[0] === null) callback(...outcome);
      else callback(new NothingSentError([options.hostname, options.port].filter(Boolean).join(':'), outcome[0]), null);
    });
}

function send(
  agent: Dispatcher,
  method: 'POST' | 'PUT',
  call: Call,
  body: string | Readable,
  signal: AbortSignal | undefined,
): Promise<Dispatcher.ResponseData> {
  const { origin, pathname, search } = call.url;
  return agent.request({
    origin,
    path: `${pathname}${search}`,
    method,
    headers: { 'user-agent': USER_AGENT, ...call.headers },
    body,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** undici takes any async iterable as a body (docs/api/Dispatcher.md); its types name Readable only, which costs a copy. */
function asRequestBody(body: AsyncIterable<Uint8Array>): Readable {
  return body as unknown as Readable;
}

async function classified<T>(
  { endpoint, signal }: Call,
  onTimeout: 'TRANSPORT_NO_ANSWER' | 'UPLOAD_STALLED',
  run: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await run();
  } catch (error) {
    signal?.throwIfAborted();
    throw classifyNetworkError(endpoint, error, onTimeout);
  }
}

function toRawAnswer(
  { statusCode, headers }: Dispatcher.ResponseData,
  text: string,
  sentSecrets: readonly string[],
): RawAnswer {
  return {
    httpStatus: statusCode,
    text,
    sentSecrets,
    contentType: firstValue(headers['content-type']),
    contentRange: firstValue(headers['content-range']),
    retryAfterMs: parseRetryAfterMs(firstValue(headers['retry-after']), Date.now()),
  };
}

function firstValue(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

export interface CallDeps extends Observer {
  readonly transport: Transport;
  readonly apiBaseUrl: URL;
  /** Times of the brief retries of calls that may be repeated. */
  readonly briefRetry?: BriefRetry | undefined;
}
