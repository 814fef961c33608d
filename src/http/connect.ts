import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ConnectFlow, ConsentOutcome } from '../accounts/connect-flow.ts';
import { CONNECT_PATH, type ConnectLink } from '../accounts/connect-link.ts';
import { PublishError } from '../core/publish-error.ts';
import {
  type ConnectPage,
  connectedPage,
  declinedPage,
  failedPage,
  invalidLinkPage,
  knownOtherwisePage,
  stalePage,
} from './connect-pages.ts';
import { PAGE_HEADERS, renderPage } from './html-page.ts';
import { type BoardLogin, createOperatorGuard, isSameText } from './operator-guard.ts';
import { sendProblem } from './problem.ts';
import { isFromOwnPage } from './request-origin.ts';

const CALLBACK_PATH = `${CONNECT_PATH}/callback`;

export interface ConnectOptions extends ConnectFlow {
  /** Whether an operator made this link, and it has not ended. */
  isValidLink(link: ConnectLink): boolean;
  /** Address under which browsers reach us; undefined: the one that the server listens on, if that is loopback. */
  readonly publicBaseUrl: string | undefined;
  /** How long the state is good for (ms). */
  readonly stateLifetimeMs: number;
}

/** Where the server is and who may use it without a link. */
export interface ConnectSurroundings {
  readonly login?: BoardLogin | undefined;
  readonly host: string;
  /** The public address, once it listens; undefined where nobody knows it. */
  readonly baseUrl: () => string | undefined;
}

const STATE_COOKIE = 'tiktok-connect';
const REFUSAL = {
  code: 'CONNECT_NEEDS_LINK',
  detail:
    "To connect an account, open a link created by `tiktok-publisher accounts connect <account>`. Without a link, you need the operator's login of the board, or access from this machine.",
};
const NO_BASE_URL = {
  status: 503,
  code: 'CONNECT_NOT_CONFIGURED',
  detail: 'Set PUBLIC_BASE_URL to the address at which browsers reach this server. TikTok redirects browsers to it.',
};

const text = z.string().optional().catch(undefined);
const beginQuery = z.object({ account: text, expires: text, signature: text });
const callbackQuery = z.object({ state: text, code: text, error: text, error_description: text });

/** Adds `/connect/tiktok`, which leads to TikTok's consent page, and the callback to which that leads back. */
export async function registerConnect(
  server: FastifyInstance,
  options: ConnectOptions,
  { login, host, baseUrl }: ConnectSurroundings,
): Promise<void> {
  await server.register(async (scope) => {
    const guard = await createOperatorGuard(scope, { login, host, refusal: REFUSAL });

    scope.get(CONNECT_PATH, async (request, reply) => {
      const { account, expires, signature } = beginQuery.parse(request.query);
      if (signature !== undefined) {
        const link = { account: account ?? '', expires: expires ?? '', signature };
        if (!options.isValidLink(link)) return sendPage(reply, invalidLinkPage());
      } else {
        // A link on a page of somebody else's must not use the login or the machine of an operator who follows it.
        if (!isFromOwnPage(request)) return sendProblem(reply, { status: 403, ...REFUSAL });
        await guard(request, reply);
        if (reply.sent) return reply;
      }
      const base = baseUrl();
      if (base === undefined) return sendProblem(reply, NO_BASE_URL);
      return await orFailedPage(request, reply, async () => {
        const redirectUri = `${base}${CALLBACK_PATH}`;
        const { consentUrl, state } = await options.begin({ account, redirectUri });
        reply.header('set-cookie', stateCookie(redirectUri, state, options.stateLifetimeMs));
        return reply.header('cache-control', 'no-store').redirect(consentUrl, 302);
      });
    });

    scope.get(CALLBACK_PATH, async (request, reply) => {
      const { state, code, error, error_description: errorDescription } = callbackQuery.parse(request.query);
      const begun = readCookie(request, STATE_COOKIE);
      const base = baseUrl();
      if (base === undefined) return sendProblem(reply, NO_BASE_URL);
      // A state that another browser began would store that person's TikTok account under the name meant for this
      // one's.
      if (state === undefined || begun === undefined || !isSameText(state, begun)) return sendPage(reply, stalePage());
      reply.header('set-cookie', stateCookie(`${base}${CALLBACK_PATH}`, '', 0));
      return await orFailedPage(request, reply, async () =>
        sendPage(reply, pageOf(await options.finish({ state, code, error, errorDescription }))),
      );
    });
  });
}

function pageOf(outcome: ConsentOutcome): ConnectPage {
  switch (outcome.kind) {
    case 'connected':
      return connectedPage(outcome);
    case 'known_otherwise':
      return knownOtherwisePage(outcome);
    case 'declined':
      return declinedPage(outcome);
    case 'stale':
      return stalePage();
  }
}

function sendPage(reply: FastifyReply, { status, ...page }: ConnectPage): FastifyReply {
  return reply.code(status).headers(PAGE_HEADERS).header('cache-control', 'no-store').send(renderPage(page));
}

async function orFailedPage(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: () => Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    request.log.warn({ err: error }, 'account not connected');
    return sendPage(reply, failedPage(error));
  }
}

function stateCookie(redirectUri: string, state: string, lifetimeMs: number): string {
  const { protocol, pathname } = new URL(redirectUri);
  const attributes = [`Path=${pathname}`, `Max-Age=${Math.floor(lifetimeMs / 1_000)}`, 'HttpOnly', 'SameSite=Lax'];
  return [`${STATE_COOKIE}=${state}`, ...attributes, ...(protocol === 'https:' ? ['Secure'] : [])].join('; ');
}

function readCookie({ headers }: FastifyRequest, name: string): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}
