import { createBullBoard } from '@bull-board/api';
import type { BaseAdapter } from '@bull-board/api/baseAdapter';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { hasScope, refusalOf } from '../core/access.ts';
import { redisTroubleOf } from '../core/redis-trouble.ts';
import { SECOND_MS } from '../core/units.ts';
import { type BoardLogin, operatorOf } from './access/sign-in.ts';
import { LedgerAdapter } from './board-adapter.ts';
import { refuseUnreadableQuery } from './board-query.ts';
import {
  addConsole,
  askToSignIn,
  BOARD_PATH,
  type BoardOptions,
  HOME_PATH,
  isVisit,
} from './console/register-pages.ts';
import { createOperatorGuard, type OperatorRules } from './operator-guard.ts';
import { type Problem, problemOf, sendProblem, UNFORESEEN } from './problem.ts';
import { redactSecrets } from './redact-secrets.ts';
import { actAs, forbidden } from './v1/callers.ts';

const STATIC_PATH = `${BOARD_PATH}/static/`;
const RETRY_ROUTE = `${BOARD_PATH}/api/queues/:queueName/:jobId/retry`;

type BoardRefusal = Pick<Problem, 'code' | 'detail'>;

const FORBIDDEN = 403;

const queueList = z.looseObject({ queues: z.array(z.looseObject({})) });

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
  key: {
    code: 'BOARD_CHANGE_REFUSED',
    detail: 'With an API key, retry the job on its page of the console. The board does not tell who retries.',
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

/** What Bull Board asks of who is signed in: it shows the jobs of all accounts. */
const BOARD_NEEDS = { scope: 'read', perAccount: false } as const;

/** Adds Bull Board under `/board`, and the console, whose pages are for the same people. */
export async function registerBoard(
  server: FastifyInstance,
  options: BoardOptions,
  operators: OperatorRules,
): Promise<void> {
  const { login } = operators;
  const { pages } = options;
  await server.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      // Without a login the guard has no say about the page of links, nor ever about the one where people sign in.
      const isOpen = route.url === HOME_PATH || route.config?.isSignIn === true;
      route.config = { ...route.config, isGuarded: !isOpen || login !== undefined };
    });
    scope.decorateRequest('publisher');
    scope.decorateRequest('deliveries');
    const guard = await createOperatorGuard(scope, operators, REFUSAL);
    scope.addHook('onRequest', async (request, reply) => {
      reply.headers(BOARD_HEADERS);
      // Who signs in after somebody else must not find that one's pages in the browser.
      if (!request.url.startsWith(STATIC_PATH)) reply.header('cache-control', 'no-store');
      if (request.routeOptions.config.isSignIn === true || isVisit(request, operators)) return;
      const error = await guard(request, reply).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      const { caller } = request;
      if (caller === undefined) return await askToSignIn(request, reply, error);
      if (!LOOKING.has(request.method) && !hasScope(caller, 'operate')) {
        return await reply.code(FORBIDDEN).send(boardError('Not done', CHANGE_REFUSALS.viewer));
      }
      const { needs } = request.routeOptions.config;
      const refusal = refusalOf(caller, needs ?? BOARD_NEEDS);
      if (pages !== undefined) actAs(request, caller, pages);
      if (refusal === undefined) return;
      // A page of the console says so with the navigation of all of them.
      if (needs !== undefined) throw forbidden(refusal);
      return await sendProblem(reply, forbidden(refusal).problem);
    });
    await scope.register(async (board) => {
      board.addHook('onRequest', async (request, reply) => {
        const isDone = isLookOrRetry(request);
        if (isDone && (LOOKING.has(request.method) || mayRetry(request, login))) return;
        const refusal = isDone ? CHANGE_REFUSALS.key : CHANGE_REFUSALS.ledger;
        await reply.code(FORBIDDEN).send(boardError('Not done', refusal));
      });
      board.addHook('preHandler', async ({ query }) => refuseUnreadableQuery(query));
      board.addHook('preSerialization', async (request, _reply, payload) =>
        redactSecrets(mayRetry(request, login) ? payload : withoutButtons(payload)),
      );
      board.addHook('onSend', async (_request, _reply, payload) =>
        typeof payload === 'string' && payload.startsWith('<!DOCTYPE html>') ? tidyBoardPage(payload) : payload,
      );
      board.setErrorHandler(answerError);
      await board.register(createBoard(options).registerPlugin(), { prefix: BOARD_PATH });
    });
    await scope.register(async (inner) => addConsole(inner, options, operators));
  });
}

/** Whether a retry on the board would bear the right name: the board knows only that of who operates. */
function mayRetry({ caller }: FastifyRequest, login: BoardLogin | undefined): boolean {
  return caller?.by === operatorOf(login).by;
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
