import { EventEmitter, once } from 'node:events';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { PULL_CHECK, PULL_PATH } from '../core/media-route.ts';
import type { MediaSource } from '../core/ports.ts';
import { SECOND_MS } from '../core/units.ts';
import { onceOver } from './once-over.ts';
import { createPlaces, NO_PLACE } from './places.ts';
import { type Problem, sendProblem } from './problem.ts';
import { serveFile, textFile } from './serve-file.ts';

export interface PulledMediaOptions {
  /** How to open what the token of a link leads to, which may say why it leads to nothing; undefined: the link is not ours. */
  readonly find: (token: string) => Promise<OpenPulled | undefined>;
  /** The files by which TikTok verifies the address, by their names. */
  readonly verificationFiles: ReadonlyMap<string, string>;
  /** How long a server that closes lets downloads go on (ms). */
  readonly drainMs: number;
}

/** Opens what a link leads to, or says why it leads to nothing. */
type OpenPulled = () => Promise<MediaSource | keyof typeof REFUSALS>;

/** A post has up to 35 photos; each answer holds a file open and a few megabytes. */
const MAX_AT_ONCE = 32;
const MAX_WAITING = 256;

const NOT_OURS = { status: 403, code: 'PULL_LINK_INVALID', detail: 'This link was not made by this service.' } as const;
const REFUSALS = {
  expired: { status: 403, code: 'PULL_LINK_EXPIRED', detail: 'This link has expired.' },
  unknown: { status: 404, code: 'PULL_MEDIA_NOT_FOUND', detail: 'No job has this media.' },
  ended: { status: 410, code: 'PULL_JOB_ENDED', detail: 'The job of this link needs no more downloads.' },
  gone: { status: 410, code: 'PULL_MEDIA_GONE', detail: 'The media was changed, or cannot be read any more.' },
  busy: {
    ...{ status: 503, code: 'PULL_BUSY', detail: 'The media cannot be read now. Try again.' },
    retryAfterMs: SECOND_MS,
  },
} as const satisfies Record<string, Problem>;

/**
 * Adds `/pull/`, from where TikTok downloads the media of jobs by links that we made, and verifies the address. It needs no
 * login: a link is all that one needs, and nothing here lists any.
 */
export function registerPulledMedia(server: FastifyInstance, options: PulledMediaOptions): void {
  const { verificationFiles, drainMs } = options;
  const texts = new Map([...verificationFiles, [PULL_CHECK.name, PULL_CHECK.text]]);
  const places = createPlaces(MAX_AT_ONCE, MAX_WAITING);
  const underWay = new Set<FastifyReply>();
  const drained = new EventEmitter();

  server.route<{ Params: { name: string } }>({
    method: ['GET', 'HEAD'],
    config: { isPublic: true },
    url: `${PULL_PATH}/:name`,
    async handler(request, reply) {
      const text = texts.get(request.params.name);
      return text === undefined ? reply.callNotFound() : serveFile(request, reply, textFile(text));
    },
  });
  server.route<{ Params: { token: string } }>({
    method: ['GET', 'HEAD'],
    config: { isPublic: true },
    url: `${PULL_PATH}/:token/:name`,
    async handler(request, reply) {
      const open = await options.find(request.params.token);
      // Before a place is asked for: who has no link takes none.
      if (open === undefined) return sendProblem(reply, NOT_OURS);
      const leave = await places.take();
      if (leave === NO_PLACE) return sendProblem(reply, REFUSALS.busy);
      underWay.add(reply);
      const done = () => {
        underWay.delete(reply);
        leave();
        if (underWay.size === 0) drained.emit('drained');
      };
      onceOver(reply.raw, done);
      // It may have left while it waited for a place.
      if (reply.raw.destroyed) return reply.hijack();
      const media = await open();
      return typeof media === 'string' ? sendProblem(reply, REFUSALS[media]) : serveFile(request, reply, media);
    },
  });
  server.addHook('preClose', async () => {
    if (underWay.size === 0) return;
    const timer = setTimeout(() => {
      for (const { raw } of underWay) raw.destroy();
    }, drainMs);
    await once(drained, 'drained');
    clearTimeout(timer);
  });
}
