import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { untilAborted } from '../../core/deadline.ts';
import { OLDEST_EVENT, parseEventCursor } from '../../core/event-cursor.ts';
import { PublishError } from '../../core/publish-error.ts';
import { PUBLISH_EVENT_TYPES } from '../../core/publish-event.ts';
import { SECOND_MS } from '../../core/units.ts';
import { createWakeSignal } from '../../core/wake-signal.ts';
import type { EventEntry, EventFeed, EventsOptions } from '../../producers/publisher.ts';
import { createKeyWatch } from '../access/key-watch.ts';
import { onceOver } from '../once-over.ts';
import { HttpProblem } from '../problem.ts';
import { problemResponses } from './api-answers.ts';
import { bearerOf, nameOf } from './callers.ts';
import { jobParams } from './job-schema.ts';
import type { ApiOptions, ApiScope } from './typed-routes.ts';

/** Often enough for proxies that hang up on what is silent for half a minute. */
const HEARTBEAT_MS = 15 * SECOND_MS;
/** How long a client is to wait before it connects again. */
const RECONNECT_MS = 3 * SECOND_MS;

/** How long a stream may take to end once the server closes. */
const CLOSE_GRACE_MS = SECOND_MS;

function tooMany(setting: string, what: string) {
  const detail = `${what} (${setting}). Close unused streams, or try again later.`;
  return new HttpProblem({ status: 503, code: 'TOO_MANY_STREAMS', detail, retryAfterMs: 10 * SECOND_MS });
}

const EVENT_STREAM = 'text/event-stream';
const FORMAT_TEXT = `Each event has the fields \`id\` (its cursor), \`event\` (its type) and \`data\` (a CloudEvents 1.0 document: \`id\`, \`type\`, \`subject\`, \`time\`, \`data\`). Types: ${PUBLISH_EVENT_TYPES.map((type) => `\`${type}\``).join(', ')}. Delivery is at least once and ordered per job: ignore an event whose \`id\` you have already processed.`;

const EXAMPLE = `id: 1764583200000-0
event: publish.queued
data: {"specversion":"1.0","id":"…","source":"urn:tiktok-publisher","type":"publish.queued","subject":"0194f2b0-7c1e-7e56-9a53-2f6d5f2f7b10","time":"2026-12-01T10:00:00.000Z","datacontenttype":"application/json","data":{"account":"acme"}}
`;

/** A text for those who read it, sent piece by piece. */
const streamSchema: z.ZodType<string | Readable> = z.string().meta({ examples: [EXAMPLE] });

const answers = {
  200: { description: 'An event stream that stays open.', content: { [EVENT_STREAM]: { schema: streamSchema } } },
} as const;

const headers = z.object({
  'last-event-id': z
    .string()
    .refine(isCursor, `expected the id of an event, or "${OLDEST_EVENT}" for all stored events`)
    .optional()
    .meta({
      description: `The \`id\` of the last event that you received: the stream continues after it. \`${OLDEST_EVENT}\` starts with the oldest stored event. Clients for server-sent events send this header automatically when they reconnect.`,
      examples: ['1764583200000-0'],
    }),
});

type EventOptions = Pick<ApiOptions, 'maxEventStreams' | 'maxEventStreamsPerKey'> & {
  readonly keys: Pick<ApiOptions['keys'], 'find'>;
};

interface OpenStream {
  /** Who holds it. */
  readonly caller: string;
  readonly end: AbortController;
  readonly reply: FastifyReply;
}

/** What answers with events until the client leaves or the server closes. @throws PublishError while it can't begin */
function streamsOf(api: ApiScope, { keys, maxEventStreams, maxEventStreamsPerKey }: EventOptions) {
  const open = new Set<OpenStream>();
  const isStillKey = createKeyWatch(keys);
  api.addHook('preClose', async () => {
    for (const { end, reply } of open) {
      end.abort();
      // A client that does not read would hold the server up.
      setTimeout(() => reply.raw.destroy(), CLOSE_GRACE_MS).unref();
    }
  });

  return async (filter: EventsOptions, reply: FastifyReply): Promise<Readable> => {
    const caller = nameOf(reply.request.caller);
    if (open.size >= maxEventStreams) {
      throw tooMany('MAX_EVENT_STREAMS', `${maxEventStreams} event streams are open on this server`);
    }
    if ([...open].filter((other) => other.caller === caller).length >= maxEventStreamsPerKey) {
      throw tooMany('MAX_EVENT_STREAMS_PER_KEY', `You have ${maxEventStreamsPerKey} event streams open on this server`);
    }
    const stream = { caller, end: new AbortController(), reply };
    open.add(stream);
    onceOver(reply.raw, () => {
      open.delete(stream);
      stream.end.abort();
    });
    const { signal } = stream.end;
    const feed = reply.request.publisher.events({ ...filter, signal });
    // From here on, nothing is missed.
    await Promise.race([feed.started, untilAborted(signal)]);
    reply.headers(STREAM_HEADERS);
    const key = bearerOf(reply.request);
    return Readable.from(renderEvents(feed, { mayGoOn: () => isStillKey(key) }));
  };
}

/** Adds the streams of events. */
export function registerEventRoutes(api: ApiScope, options: EventOptions): void {
  const follow = streamsOf(api, options);
  api.get(
    '/v1/events',
    {
      exposeHeadRoute: false,
      config: { access: { scope: 'read', perAccount: true }, isStream: true },
      schema: {
        operationId: 'followEvents',
        tags: ['Events'],
        summary: 'Follow all events',
        description: `Server-sent events of all jobs and accounts, from now on or after \`Last-Event-ID\`. ${FORMAT_TEXT}`,
        headers,
        response: { ...answers, ...problemResponses({ 410: true }) },
      },
    },
    async ({ headers: { 'last-event-id': after } }, reply) => await follow({ after }, reply),
  );
  api.get(
    '/v1/publishes/:id/events',
    {
      exposeHeadRoute: false,
      config: { access: { scope: 'read', perAccount: true } },
      schema: {
        operationId: 'followPublish',
        tags: ['Events'],
        summary: 'Follow a job',
        description: `Server-sent events of one job, from its oldest stored event or after \`Last-Event-ID\`. The stream stays open after the outcome, because a late report from TikTok may correct it. ${FORMAT_TEXT}`,
        params: jobParams,
        headers,
        response: {
          ...answers,
          ...problemResponses({ 404: '`JOB_NOT_FOUND`: no publish job has this id.', 410: true }),
        },
      },
    },
    async ({ params: { id }, headers: { 'last-event-id': after = OLDEST_EVENT }, publisher }, reply) => {
      if ((await publisher.get(id)) === undefined) throw new PublishError('JOB_NOT_FOUND');
      return await follow({ after, subject: id }, reply);
    },
  );
}

const STREAM_HEADERS = {
  'content-type': `${EVENT_STREAM}; charset=utf-8`,
  // The connection ends with the stream, so that a server that closes need not wait for it.
  connection: 'close',
  // Proxies like nginx would else collect events before they pass them on.
  'x-accel-buffering': 'no',
} as const;

function isCursor(text: string): boolean {
  try {
    parseEventCursor(text);
    return true;
  } catch {
    return false;
  }
}

interface RenderOptions {
  readonly heartbeatMs?: number;
  readonly mayGoOn?: () => Promise<boolean>;
}

/**
 * Events in the format of server-sent events (html.spec.whatwg.org/multipage/server-sent-events.html, read 2026-11-22):
 * `id` is the cursor, `event` the type. A page is fetched when the one before was taken, so a client that reads slowly
 * holds two of them and keeps nobody waiting. While nothing happens, comments keep the connection alive and ids say how far
 * the feed has come, so that a client that connects again does not begin far back.
 *
 * @param options `mayGoOn`: asked before anything is told; the stream ends where the client may know no more
 * @internal
 */
export async function* renderEvents(
  feed: EventFeed,
  { heartbeatMs = HEARTBEAT_MS, mayGoOn = async () => true }: RenderOptions = {},
): AsyncGenerator<string | Buffer> {
  const wakeSignal = createWakeSignal();
  const heartbeat = setInterval(wakeSignal.notify, heartbeatMs);
  let arrived: ReturnType<EventFeed['nextPage']> | undefined;
  // Waited for once: each heartbeat that raced against an event would stay with it until it comes.
  const ask = () => {
    const next = feed.nextPage();
    const tell = () => {
      arrived = next;
      wakeSignal.notify();
    };
    next.then(tell, tell);
  };
  try {
    // Sent at once, so that the client knows that it is connected.
    yield `retry: ${RECONNECT_MS}\n\n`;
    ask();
    for (;;) {
      await wakeSignal.wait();
      if (!(await mayGoOn())) return;
      const next = arrived;
      if (next === undefined) {
        yield `: still there\nid: ${feed.cursor}\n\n`;
        continue;
      }
      arrived = undefined;
      const page = await next;
      if (page.length === 0) return;
      yield pageText(page);
      ask();
    }
  } finally {
    clearInterval(heartbeat);
    await feed.return();
  }
}

/** Streams that have come as far have the same entries and pages: each is rendered once. */
const entryText = onceFor(
  ({ cursor, event }: EventEntry) => `id: ${cursor}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
);
const pageText = onceFor((page: readonly EventEntry[]) => Buffer.from(page.map(entryText).join('')));

function onceFor<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, Value>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}
