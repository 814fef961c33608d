import type { Queue } from 'bullmq';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { READ, type RouteAccess } from '../../core/access.ts';
import type { BoardJobs } from '../board-jobs.ts';
import { linksPage } from '../links-page.ts';
import { isFromThisMachine, type OperatorRules } from '../operator-guard.ts';
import { problemOf, sendProblem, wantsPage } from '../problem.ts';
import { addAccounts } from './accounts-page.ts';
import { addAudit } from './audit-page.ts';
import type { QueueReport } from './causes.ts';
import { type ConsoleParts, consoleRoutes, seeOther } from './console-routes.ts';
import { addKeys } from './keys-page.ts';
import { addNowActions } from './now-actions.ts';
import { nowPage } from './now-page.ts';
import { addOperations } from './operations-page.ts';
import type { EntryLink } from './publish-page.ts';
import { addPublishes, addPublishPage } from './publish-routes.ts';
import { addSignIn, signInPath } from './sign-in-page.ts';
import { addSubscriptions } from './subscriptions-page.ts';

export const BOARD_PATH = '/board';
export const HOME_PATH = '/';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a route of the console asks of who is signed in. */
    needs?: RouteAccess;
    /** Open to strangers: they sign in there. */
    isSignIn?: boolean;
  }
}

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
  /** Path below which a proxy serves us; empty where there is none. */
  readonly basePath: string;
}

const NOT_SIGNED_IN = {
  status: 401,
  code: 'BOARD_LOGIN_REFUSED',
  detail:
    'Sign in at /sign-in with an API key or the login of the board; scripts send the login as HTTP basic authentication (BOARD_USER and BOARD_PASSWORD, or BOARD_READONLY_USER and its password).',
};

/** Sends people to the page where they sign in, and tells programs what is missing. */
export async function askToSignIn(request: FastifyRequest, reply: FastifyReply, error: unknown): Promise<FastifyReply> {
  const problem = isWrongLogin(error) ? NOT_SIGNED_IN : problemOf(error);
  const isLost = problem === NOT_SIGNED_IN && request.headers.authorization === undefined;
  if (!isLost || !wantsPage(request) || request.session === undefined) return await sendProblem(reply, problem);
  reply.removeHeader('www-authenticate');
  return await seeOther(reply, signInPath(request));
}

function isWrongLogin(error: unknown): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === NOT_SIGNED_IN.status;
}

/** Adds the page of each job and, where there is one, the console that it belongs to. */
export function addConsole(scope: FastifyInstance, options: BoardOptions, operators: OperatorRules): void {
  const { queues, jobs, pages, basePath } = options;
  const { login, signIns, sessions } = operators;
  const routes = consoleRoutes(scope, basePath);
  const hasSignIn = pages !== undefined && sessions !== undefined;
  const links = linksPage(basePath, { hasConsole: hasSignIn && (login !== undefined || pages.apiKeys.length > 0) });
  const reports = async () => await Promise.all(queues.map(({ queue }) => queueReport(queue, basePath)));
  routes.page(HOME_PATH, READ, async (request, context) => {
    if (pages === undefined || isVisit(request, operators)) return links;
    return await nowPage(request, { ...pages, queues: reports }, context);
  });
  if (jobs === undefined) return;
  const entriesOf = async (id: string) =>
    (await Promise.all(queues.map(({ queue }) => entryLink(queue, id, basePath)))).flat();
  addPublishPage(routes, { jobs, entriesOf, callbacks: pages?.callbacks });
  if (pages === undefined) return;
  const pagesOf = [addPublishes, addOperations, addAccounts, addSubscriptions, addKeys, addAudit, addNowActions];
  for (const add of pagesOf) add(routes, { ...pages, find: jobs.find });
  if (hasSignIn) addSignIn(scope, { signIns, hasLogin: login !== undefined, basePath });
}

/** Whether `/` is asked for by a program, which may watch it, or by a stranger: they get its links, and no refusal. */
export function isVisit(request: FastifyRequest, { login, host }: Pick<OperatorRules, 'login' | 'host'>): boolean {
  if (request.routeOptions.url !== HOME_PATH) return false;
  if (!wantsPage(request)) return true;
  if (request.session?.proof !== undefined) return false;
  if (login === undefined) return !isFromThisMachine(request, host);
  return request.headers.authorization === undefined;
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
