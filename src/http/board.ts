import { createBullBoard } from '@bull-board/api';
import type { BaseAdapter } from '@bull-board/api/baseAdapter';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { PublishError } from '../core/publish-error.ts';
import { redisTroubleOf } from '../core/redis-trouble.ts';
import { SECOND_MS } from '../core/units.ts';
import { LedgerAdapter } from './board-adapter.ts';
import { type ChangeRefusal, refuseChange } from './board-changes.ts';
import type { BoardJobs } from './board-jobs.ts';
import { BOARD_HEADERS, tidyBoardPage } from './board-look.ts';
import { PAGE_HEADERS } from './html-page.ts';
import { type BoardLogin, createOperatorGuard, isViewer } from './operator-guard.ts';
import { sendProblem } from './problem.ts';
import { type EntryLink, PUBLISH_PAGES_PATH, renderPublishPage } from './publish-page.ts';
import { publishProblem } from './publish-problem.ts';
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
}

const FORBIDDEN = 403;
const NOT_FOUND = 404;
const INTERNAL = 500;

const errorStatus = z.object({ statusCode: z.number().catch(INTERNAL) });
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
    'The board shows every job. Without BOARD_USER and BOARD_PASSWORD it is available only on this machine, at localhost and 127.0.0.1.',
};

/** Adds Bull Board under `/board`, and a page for each publish job under `/publishes`. */
export async function registerBoard(server: FastifyInstance, options: BoardOptions): Promise<void> {
  const { login, viewer, host, jobs } = options;
  await server.register(async (scope) => {
    const guard = await createOperatorGuard(scope, { login, viewer, host, refusal: REFUSAL });
    scope.addHook('onRequest', async (request, reply) => {
      reply.headers(BOARD_HEADERS);
      // Who signs in after somebody else must not find that one's pages in the browser.
      if (!request.url.startsWith(STATIC_PATH)) reply.header('cache-control', 'no-store');
      await guard(request, reply).catch(() => sendProblem(reply, NOT_SIGNED_IN));
      if (reply.sent) return;
      const refusal = refuseChange(request, RETRY_ROUTE);
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
    if (jobs !== undefined) registerPublishPages(scope, { queues: options.queues, jobs });
  });
}

function createBoard({ queues, jobs }: Pick<BoardOptions, 'jobs' | 'queues'>): FastifyAdapter {
  const adapter = new FastifyAdapter().setBasePath(BOARD_PATH);
  createBullBoard({
    queues: queues.map(({ queue, description, isWork }): BaseAdapter => {
      if (jobs === undefined) return new BullMQAdapter(queue, { readOnlyMode: true, description });
      return new LedgerAdapter(queue, { jobs, description, allowRetries: isWork });
    }),
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: 'tiktok-publisher',
        hideDocsLink: true,
        miscLinks: [{ text: 'Metrics', url: '/metrics' }],
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
  const known = redisTroubleOf(error) ?? error;
  if (known instanceof PublishError) {
    const { status, code, detail, retryAfterMs } = publishProblem(known);
    if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / SECOND_MS));
    return await reply.code(status).send(boardError('Not done', { code, detail }));
  }
  const { statusCode } = errorStatus.parse(error);
  if (statusCode < INTERNAL) {
    return await reply
      .code(statusCode)
      .send(boardError('Not done', { code: 'REQUEST_INVALID', detail: error.message }));
  }
  log.error({ err: error }, 'board request failed');
  const detail = 'An unexpected internal error occurred. See the log for the cause.';
  return await reply.code(INTERNAL).send(boardError('Something went wrong', { code: 'INTERNAL_ERROR', detail }));
}

/** `error` and `message` are what Bull Board's page shows. */
function boardError(error: string, { code, detail }: ChangeRefusal) {
  return { code, error, message: detail };
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
  { queues, jobs }: Required<Pick<BoardOptions, 'queues'>> & { jobs: BoardJobs },
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
    const entries = await Promise.all(queues.map(({ queue }) => entryLink(queue, id)));
    return reply.headers(PAGE_HEADERS).send(renderPublishPage(known, entries.flat()));
  });
}

async function entryLink(queue: Queue, id: string): Promise<EntryLink[]> {
  const state = await queue.getJobState(id);
  if (state === 'unknown') return [];
  return [{ queue: queue.name, state, path: `${BOARD_PATH}/queue/${queue.name}/${encodeURIComponent(id)}` }];
}
