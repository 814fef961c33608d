import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ConnectFlow, ConsentEnd } from '../accounts/connect-flow.ts';
import { CONNECT_PATH, type OpenLink } from '../accounts/connect-link.ts';
import { isReturnUrl, returnUrl } from '../accounts/connect-return.ts';
import { refusalOf } from '../core/access.ts';
import type { CreatorInfo } from '../core/creator-rules.ts';
import { PublishError } from '../core/publish-error.ts';
import { type ConnectPage, invalidLinkPage, outcomePage, stalePage } from './connect-pages.ts';
import { pageHeaders, renderPage } from './html-page.ts';
import { createOperatorGuard, isSameText, type OperatorRules } from './operator-guard.ts';
import type { PageLook } from './page-look.ts';
import { sendProblem } from './problem.ts';
import { isFromOwnPage } from './request-origin.ts';
import { forbidden } from './v1/callers.ts';

const CALLBACK_PATH = `${CONNECT_PATH}/callback`;

export interface ConnectOptions extends ConnectFlow {
  /** The link with this token; undefined if there is none, or no longer. @throws PublishError */
  findLink(token: string): Promise<OpenLink | undefined>;
  /** Who a connected account is at TikTok; undefined if it does not say. */
  askCreator(account: string): Promise<CreatorInfo | undefined>;
  /** Origins to which browsers may be sent back. */
  readonly returnOrigins: readonly string[];
  readonly look: PageLook;
  /** Address under which browsers reach us; undefined: the one that the server listens on, if that is loopback. */
  readonly publicBaseUrl: string | undefined;
  /** How long the state is good for (ms). */
  readonly stateLifetimeMs: number;
}

/** Where the server is and who may use it without a link. */
export interface ConnectSurroundings {
  readonly operators: OperatorRules;
  /** The public address, once it listens; undefined where nobody knows it. */
  readonly baseUrl: () => string | undefined;
}

/** Characters of a state that name its cookie: each tab of a browser connects on its own. */
const COOKIE_NAME_CHARS = 8;
const REFUSAL = {
  code: 'CONNECT_NEEDS_LINK',
  detail:
    "To connect an account, open a link created by `tiktok-publisher accounts connect <account>` or `POST /v1/accounts/connect-links`. Without a link, you need the operator's login of the board, or access from this machine.",
};
const NO_BASE_URL = {
  status: 503,
  code: 'CONNECT_NOT_CONFIGURED',
  detail: 'Set PUBLIC_BASE_URL to the address at which browsers reach this server. TikTok redirects browsers to it.',
};

const text = z.string().optional().catch(undefined);
const beginQuery = z.object({ account: text, link: text });
const callbackQuery = z.object({ state: text, code: text, error: text, error_description: text });

/** Adds `/connect/tiktok`, which leads to TikTok's consent page, and the callback to which that leads back. */
export async function registerConnect(
  server: FastifyInstance,
  options: ConnectOptions,
  { operators, baseUrl }: ConnectSurroundings,
): Promise<void> {
  await server.register(async (scope) => {
    const guard = await createOperatorGuard(scope, operators, REFUSAL);

    scope.get(CONNECT_PATH, { config: { isGuarded: true } }, async (request, reply) => {
      const { account, link: token } = beginQuery.parse(request.query);
      const link = token === undefined ? undefined : await orFailure(options.findLink(token));
      if (link instanceof PublishError) return sendEnd(reply, options, { outcome: { kind: 'failed', error: link } });
      if (token !== undefined && link === undefined) return sendPage(reply, options, invalidLinkPage());
      if (link === undefined) {
        // A link on a page of somebody else's must not use the login or the machine of an operator who follows it.
        if (!isFromOwnPage(request)) return sendProblem(reply, { status: 403, ...REFUSAL });
        await guard(request, reply);
        const refusal = request.caller && refusalOf(request.caller, { scope: 'operate', perAccount: false });
        if (refusal !== undefined) throw forbidden(refusal);
      }
      const base = baseUrl();
      if (base === undefined) return sendProblem(reply, NO_BASE_URL);
      const redirectUri = `${base}${CALLBACK_PATH}`;
      const begun = await orFailure(options.begin({ link, account: link?.account ?? account, redirectUri }));
      if (begun instanceof PublishError)
        return sendEnd(reply, options, { outcome: { kind: 'failed', error: begun }, link });
      reply.header('set-cookie', stateCookie(redirectUri, begun.state, begun.state, options.stateLifetimeMs));
      return reply.header('cache-control', 'no-store').redirect(begun.consentUrl, 302);
    });

    scope.get(CALLBACK_PATH, { config: { isGuarded: true } }, async (request, reply) => {
      const { state, code, error, error_description: errorDescription } = callbackQuery.parse(request.query);
      const begun = state === undefined ? undefined : readCookie(request, cookieName(state));
      const base = baseUrl();
      if (base === undefined) return sendProblem(reply, NO_BASE_URL);
      // A state that another browser began would store that person's TikTok account under the name meant for this
      // one's.
      const isOwn = state !== undefined && begun !== undefined && isSameText(state, begun);
      if (!isOwn) return sendPage(reply, options, stalePage());
      reply.header('set-cookie', stateCookie(`${base}${CALLBACK_PATH}`, state, '', 0));
      const end = await orFailure(options.finish({ state, code, error, errorDescription }));
      if (end === undefined) return sendPage(reply, options, stalePage());
      return sendEnd(reply, options, end instanceof PublishError ? { outcome: { kind: 'failed', error: end } } : end);
    });
  });
}

/** Sends the browser back to the app that asked for the link, or shows it how it ended. */
async function sendEnd(
  reply: FastifyReply,
  options: ConnectOptions,
  { outcome, link }: ConsentEnd,
): Promise<FastifyReply> {
  if (outcome.kind === 'failed') reply.log.warn({ err: outcome.error }, 'account not connected');
  if (link?.returnTo !== undefined) {
    // The setting may have changed since the link was created.
    if (isReturnUrl(link.returnTo, options.returnOrigins)) {
      reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
      return reply.redirect(returnUrl(link.returnTo, link.account, outcome), 302);
    }
    reply.log.warn(
      { origin: new URL(link.returnTo).origin },
      'not redirected: CONNECT_RETURN_ORIGINS does not list this',
    );
  }
  const creator = outcome.kind === 'connected' ? await options.askCreator(outcome.account) : undefined;
  return sendPage(reply, options, outcomePage(outcome, creator));
}

function sendPage(reply: FastifyReply, { look }: ConnectOptions, { status, ...page }: ConnectPage): FastifyReply {
  return reply
    .code(status)
    .headers(pageHeaders(look))
    .header('cache-control', 'no-store')
    .send(renderPage({ ...page, look }));
}

async function orFailure<T>(asked: Promise<T>): Promise<T | PublishError> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof PublishError) return error;
    throw error;
  }
}

function cookieName(state: string): string {
  return `tiktok-connect-${state.slice(0, COOKIE_NAME_CHARS)}`;
}

function stateCookie(redirectUri: string, state: string, value: string, lifetimeMs: number): string {
  const { protocol, pathname } = new URL(redirectUri);
  const attributes = [`Path=${pathname}`, `Max-Age=${Math.floor(lifetimeMs / 1_000)}`, 'HttpOnly', 'SameSite=Lax'];
  return [`${cookieName(state)}=${value}`, ...attributes, ...(protocol === 'https:' ? ['Secure'] : [])].join('; ');
}

function readCookie({ headers }: FastifyRequest, name: string): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}
