import { createBullBoard } from '@bull-board/api';
import type { BaseAdapter } from '@bull-board/api/baseAdapter';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { redisTroubleOf } from '../core/redis-trouble.ts';
import { SECOND_MS } from '../core/units.ts';
import { LedgerAdapter } from './board-adapter.ts';
import type { BoardJobs } from './board-jobs.ts';
import { PAGE_HEADERS } from './html-page.ts';
import { type BoardLogin, createOperatorGuard, isViewer } from './operator-guard.ts';
import { HttpProblem, type Problem, problemOf, sendProblem, UNFORESEEN } from './problem.ts';
import { type EntryLink, PUBLISH_PAGES_PATH, renderPublishPage } from './publish-page.ts';
import { redactSecrets } from './redact-secrets.ts';

export const BOARD_PATH = '/board';
const STATIC_PATH = `${BOARD_PATH}/static/`;
const RETRY_ROUTE = `${BOARD_PATH}/api/queues/:queueName/:jobId/retry`;

interface BoardQueue {
  readonly queue: Queue;
  readonly description: string;
  /** Whether its entries are the work of publish jobs, so that a failed one can be retried through the ledger. */
  readonly isWork: boolean;
}

export interface BoardOptions {
  readonly queues: readonly BoardQueue[];
  /** Without the ledger's side nothing can be retried, and entries are shown as they are. */
  readonly jobs?: BoardJobs | undefined;
  /** Without one the board is served to this machine only. */
  readonly login?: BoardLogin | undefined;
  /** The login of those who may look at everything and change nothing. */
  readonly viewer?: BoardLogin | undefined;
  readonly host: string;
  /** Path below which a proxy serves us; empty where there is none. */
  readonly basePath: string;
}

type BoardRefusal = Pick<Problem, 'code' | 'detail'>;

const FORBIDDEN = 403;
const NOT_FOUND = 404;

const queueList = z.looseObject({ queues: z.array(z.looseObject({})) });

const NOT_SIGNED_IN = {
  status: 401,
  code: 'BOARD_LOGIN_REFUSED',
  detail:
    'Sign in with BOARD_USER and BOARD_PASSWORD, or with BOARD_READONLY_USER and its password for read-only access.',
};

const REFUSAL = {
  code: 'BOARD_NEEDS_LOGIN',
  detail:
    'The board shows every job. Without BOARD_USER and BOARD_PASSWORD it is available only on this machine, at localhost and 127.0.0.1, and not through a proxy.',
};

const LOOKING = new Set(['GET', 'HEAD']);

const CHANGE_REFUSALS = {
  viewer: {
    code: 'BOARD_READ_ONLY',
    detail: 'Your login is read-only. To make changes, sign in as the operator.',
  },
  ledger: {
    code: 'BOARD_CHANGE_REFUSED',
    detail:
      'This would change a queue without the ledger, which could lose or repeat a post. On the board you can only retry failed jobs. For other changes, use `tiktok-publisher` or the API.',
  },
} as const;

/**
 * Headers of everything under the board: nothing is loaded from elsewhere (Bull Board asks for fonts of Google's), and
 * nobody may frame a page that has a button.
 */
const BOARD_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/**
 * Bull Board offers all that it can do to a queue that is not read-only. These are the buttons that would be refused;
 * the retry of a failed job, known by its icon, is left. Its menus have nothing else that changes something.
 */
const ONLY_RETRY = `
  [class*="queueActions-"], button[class*="rigger-"][aria-haspopup="menu"],
  [role="menuitem"]:has(.lucide-pause, .lucide-play, .lucide-refresh-cw),
  [class*="jobActions-"] li:not(:has(.lucide-refresh-cw)) { display: none !important }
`;

/** Adds Bull Board under `/board`, and a page for each publish job under `/publishes`. */
export async function registerBoard(server: FastifyInstance, options: BoardOptions): Promise<void> {
  const { login, viewer, host, jobs, basePath } = options;
  await server.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, isGuarded: true };
    });
    const guard = await createOperatorGuard(scope, { login, viewer, host, refusal: REFUSAL });
    scope.addHook('onRequest', async (request, reply) => {
      reply.headers(BOARD_HEADERS);
      // Who signs in after somebody else must not find that one's pages in the browser.
      if (!request.url.startsWith(STATIC_PATH)) reply.header('cache-control', 'no-store');
      await guard(request, reply).catch((error) =>
        sendProblem(reply, error instanceof HttpProblem ? error.problem : NOT_SIGNED_IN),
      );
      if (reply.sent) return;
      const refusal = refuseChange(request);
      if (refusal !== undefined) await reply.code(FORBIDDEN).send(boardError('Not done', refusal));
    });
    await scope.register(async (board) => {
      board.addHook('preSerialization', async (request, _reply, payload) =>
        redactSecrets(isViewer(request) ? withoutButtons(payload) : payload),
      );
      board.addHook('onSend', async (_request, _reply, payload) =>
        typeof payload === 'string' && payload.startsWith('<!DOCTYPE html>') ? tidyBoardPage(payload) : payload,
      );
      board.setErrorHandler(answerError);
      await board.register(createBoard(options).registerPlugin(), { prefix: BOARD_PATH });
    });
    scope.setErrorHandler((error) => {
      throw redisTroubleOf(error) ?? error;
    });
    if (jobs !== undefined) registerPublishPages(scope, { queues: options.queues, jobs, basePath });
  });
}

function createBoard({ queues, jobs, basePath }: Pick<BoardOptions, 'jobs' | 'queues' | 'basePath'>): FastifyAdapter {
  const adapter = new FastifyAdapter().setBasePath(`${basePath}${BOARD_PATH}`);
  createBullBoard({
    queues: queues.map(({ queue, description, isWork }): BaseAdapter => {
      if (jobs === undefined) return new BullMQAdapter(queue, { readOnlyMode: true, description });
      return new LedgerAdapter(queue, { jobs, description, basePath, allowRetries: isWork });
    }),
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: 'tiktok-publisher',
        hideDocsLink: true,
        miscLinks: [{ text: 'Metrics', url: `${basePath}/metrics` }],
      },
    },
  });
  // Bull Board's own type of an answer knows few statuses; thrown on, an error comes to the handler around it.
  return adapter.setErrorHandler((error) => {
    throw error;
  });
}

/** An error as Bull Board's page shows it to people; causes that nobody foresaw go to the log only. */
async function answerError(error: Error, { log }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const problem = problemOf(redisTroubleOf(error) ?? error);
  const isForeseen = problem !== UNFORESEEN;
  if (!isForeseen) log.error({ err: error }, 'board request failed');
  const { status, retryAfterMs } = problem;
  if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / SECOND_MS));
  return await reply.code(status).send(boardError(isForeseen ? 'Not done' : 'Something went wrong', problem));
}

/** `error` and `message` are what Bull Board's page shows. */
function boardError(error: string, { code, detail }: BoardRefusal) {
  return { code, error, message: detail };
}

/**
 * Why a request to the board may not change anything; undefined when it only looks, or is the one change that goes
 * through the ledger.
 */
function refuseChange(request: FastifyRequest): BoardRefusal | undefined {
  if (LOOKING.has(request.method)) return undefined;
  if (isViewer(request)) return CHANGE_REFUSALS.viewer;
  return request.method === 'PUT' && request.routeOptions.url === RETRY_ROUTE ? undefined : CHANGE_REFUSALS.ledger;
}

/** Bull Board's page without what it loads from elsewhere, and without the buttons that would be refused. */
function tidyBoardPage(html: string): string {
  return html
    .replaceAll(/<link\b[^<>]{0,200}href="https?:[^<>]{0,500}>/g, '')
    .replace('</head>', () => `<style>${ONLY_RETRY}</style></head>`);
}

/** The board's lists as they are for somebody who may not touch: without a button that would be refused. */
function withoutButtons(payload: unknown): unknown {
  const listed = queueList.safeParse(payload);
  if (!listed.success) return payload;
  const queues = listed.data.queues.map((queue) => ({ ...queue, readOnlyMode: true, allowRetries: false }));
  return { ...listed.data, queues };
}

function registerPublishPages(
  scope: FastifyInstance,
  { queues, jobs, basePath }: Pick<BoardOptions, 'queues' | 'basePath'> & { jobs: BoardJobs },
): void {
  scope.get<{ Params: { id: string } }>(`${PUBLISH_PAGES_PATH}/:id`, async ({ params: { id } }, reply) => {
    const [known] = await jobs.find([id]);
    if (known === undefined) {
      return sendProblem(reply, {
        status: NOT_FOUND,
        code: 'JOB_NOT_FOUND',
        detail: 'No publish job has this id.',
      });
    }
    const entries = await Promise.all(queues.map(({ queue }) => entryLink(queue, id, basePath)));
    return reply.headers(PAGE_HEADERS).send(renderPublishPage(known, entries.flat(), basePath));
  });
}

async function entryLink(queue: Queue, id: string, basePath: string): Promise<EntryLink[]> {
  const state = await queue.getJobState(id);
  if (state === 'unknown') return [];
  return [{ queue: queue.name, state, path: `${basePath}${BOARD_PATH}/queue/${queue.name}/${encodeURIComponent(id)}` }];
}
