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
import { refuseUnreadableQuery } from './board-query.ts';
import { addAccounts } from './console/accounts-page.ts';
import { addAudit } from './console/audit-page.ts';
import { type ConsoleParts, consoleRoutes } from './console/console-routes.ts';
import { addKeys } from './console/keys-page.ts';
import { nowPage, type QueueReport } from './console/now-page.ts';
import { addPublishes, addPublishPage } from './console/publish-routes.ts';
import { addSubscriptions } from './console/subscriptions-page.ts';
import { linksPage, SIGN_IN_PATH } from './links-page.ts';
import { type BoardLogin, createOperatorGuard, isFromThisMachine, isViewer } from './operator-guard.ts';
import { HttpProblem, type Problem, problemOf, sendProblem, UNFORESEEN, wantsPage } from './problem.ts';
import type { EntryLink } from './publish-page.ts';
import { redactSecrets } from './redact-secrets.ts';

const BOARD_PATH = '/board';
const HOME_PATH = '/';
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
  /** The pages beside the board; without them there are only those of single jobs. */
  readonly pages?: ConsoleParts | undefined;
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

/** Adds Bull Board under `/board`, and the console, whose pages are for the same people. */
export async function registerBoard(server: FastifyInstance, options: BoardOptions): Promise<void> {
  const { login, viewer, host } = options;
  await server.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      // Without a login the guard has no say about the page of links.
      route.config = { ...route.config, isGuarded: route.url !== HOME_PATH || login !== undefined };
    });
    const guard = await createOperatorGuard(scope, { login, viewer, host, refusal: REFUSAL });
    scope.addHook('onRequest', async (request, reply) => {
      reply.headers(BOARD_HEADERS);
      // Who signs in after somebody else must not find that one's pages in the browser.
      if (!request.url.startsWith(STATIC_PATH)) reply.header('cache-control', 'no-store');
      if (isVisit(request, options)) return;
      await guard(request, reply).catch((error) =>
        sendProblem(reply, error instanceof HttpProblem ? error.problem : NOT_SIGNED_IN),
      );
      if (reply.sent || LOOKING.has(request.method) || !isViewer(request)) return;
      await reply.code(FORBIDDEN).send(boardError('Not done', CHANGE_REFUSALS.viewer));
    });
    await scope.register(async (board) => {
      board.addHook('onRequest', async (request, reply) => {
        if (isLookOrRetry(request)) return;
        await reply.code(FORBIDDEN).send(boardError('Not done', CHANGE_REFUSALS.ledger));
      });
      board.addHook('preHandler', async ({ query }) => refuseUnreadableQuery(query));
      board.addHook('preSerialization', async (request, _reply, payload) =>
        redactSecrets(isViewer(request) ? withoutButtons(payload) : payload),
      );
      board.addHook('onSend', async (_request, _reply, payload) =>
        typeof payload === 'string' && payload.startsWith('<!DOCTYPE html>') ? tidyBoardPage(payload) : payload,
      );
      board.setErrorHandler(answerError);
      await board.register(createBoard(options).registerPlugin(), { prefix: BOARD_PATH });
    });
    await scope.register(async (inner) => addConsole(inner, options));
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

/** Whether a request to Bull Board changes nothing, or is the one change that goes through the ledger. */
function isLookOrRetry({ method, routeOptions }: FastifyRequest): boolean {
  return LOOKING.has(method) || (method === 'PUT' && routeOptions.url === RETRY_ROUTE);
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

/** Adds the page of each job and, where there is one, the console that it belongs to. */
function addConsole(scope: FastifyInstance, options: BoardOptions): void {
  const { queues, jobs, pages, login, basePath } = options;
  const routes = consoleRoutes(scope, basePath);
  const links = linksPage(basePath, { hasConsole: pages !== undefined && login !== undefined });
  const reports = async () => await Promise.all(queues.map(({ queue }) => queueReport(queue, basePath)));
  routes.page(HOME_PATH, async (request, context) => {
    if (pages === undefined || isVisit(request, options)) return links;
    return await nowPage(pages, reports, context);
  });
  if (jobs === undefined) return;
  const entriesOf = async (id: string) =>
    (await Promise.all(queues.map(({ queue }) => entryLink(queue, id, basePath)))).flat();
  addPublishPage(routes, { jobs, entriesOf, callbacks: pages?.callbacks });
  if (pages === undefined) return;
  for (const add of [addPublishes, addAccounts, addSubscriptions, addKeys, addAudit]) add(routes, pages);
}

/** Whether `/` is asked for by a program, which may watch it, or by a stranger: they get its links, and no refusal. */
function isVisit(request: FastifyRequest, { login, host }: Pick<BoardOptions, 'login' | 'host'>): boolean {
  if (request.routeOptions.url !== HOME_PATH) return false;
  if (!wantsPage(request)) return true;
  if (login === undefined) return !isFromThisMachine(request, host);
  return request.headers.authorization === undefined && !request.originalUrl.endsWith(SIGN_IN_PATH);
}

async function queueReport(queue: Queue, basePath: string): Promise<QueueReport> {
  const [counts, workers] = await Promise.all([
    queue.getJobCounts('waiting', 'active', 'delayed', 'failed'),
    // Some servers of Redis do not tell.
    queue.getWorkersCount().catch(() => undefined),
  ]);
  return { name: queue.name, path: `${basePath}${BOARD_PATH}/queue/${queue.name}`, counts, workers };
}

async function entryLink(queue: Queue, id: string, basePath: string): Promise<EntryLink[]> {
  const state = await queue.getJobState(id);
  if (state === 'unknown') return [];
  return [{ queue: queue.name, state, path: `${basePath}${BOARD_PATH}/queue/${queue.name}/${encodeURIComponent(id)}` }];
}
