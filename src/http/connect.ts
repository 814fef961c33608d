import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ConnectFlow, ConsentOutcome } from '../accounts/connect-flow.ts';
import { CONNECT_PATH, type ConnectLink } from '../accounts/connect-link.ts';
import { PublishError } from '../core/publish-error.ts';
import { escapeHtml, type HtmlPage, PAGE_HEADERS, renderPage } from './html-page.ts';
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

interface ConnectPage extends HtmlPage {
  readonly status: number;
}

const AGAIN = '<p>Nothing was stored. To try again, open the link again.</p>';

/** All went well; scopes that were not granted are named. */
function connectedPage(outcome: { account: string; granted: string[]; missing: string[] }): ConnectPage {
  const { account, granted, missing } = outcome;
  const grantedText =
    granted.length === 0
      ? ''
      : `<p>Granted: ${granted.map((scope) => `<code>${escapeHtml(scope)}</code>`).join(', ')}.</p>`;
  return {
    status: 200,
    title: 'Connected',
    body: `<p>The TikTok account is connected as <b>${escapeHtml(account)}</b>. You can close this page.</p>
${grantedText}${missing.map(missingText).join('\n')}`,
  };
}

const WITHOUT: Readonly<Record<string, string>> = {
  'video.publish': 'direct posts will fail',
  'video.upload': 'drafts to the inbox will fail',
};

function missingText(scope: string): string {
  return `<p><b>Not granted: <code>${escapeHtml(scope)}</code></b>, so ${WITHOUT[scope] ?? 'some requests will be refused'}.
To change this, open the link again and leave all permissions switched on.</p>`;
}

/** The user is there under another name already. */
function knownOtherwisePage({ account, wanted }: { account: string; wanted: string }): ConnectPage {
  return {
    status: 409,
    title: 'Already connected',
    body: `<p>This TikTok account was already connected as <b>${escapeHtml(account)}</b>. That connection was refreshed.
It was not added as <b>${escapeHtml(wanted)}</b>. To use that name, first remove the other one. To connect a different
account, log in to that account at TikTok and open the link again.</p>`,
  };
}

/** The person said no, or TikTok did. */
function declinedPage({ tiktokCode, tiktokMessage }: { tiktokCode: string; tiktokMessage: string }): ConnectPage {
  const words = [tiktokCode, tiktokMessage].filter((part) => part !== '').join(': ');
  return {
    status: 400,
    title: 'Not connected',
    body: `<p>TikTok did not give access: ${escapeHtml(words)}</p>\n${AGAIN}`,
  };
}

/** What came back belongs to nothing that this browser began. */
function stalePage(): ConnectPage {
  return {
    status: 400,
    title: 'Not connected',
    body: `<p>This browser has not started a connection in the last ten minutes, or the connection has already ended.
If you did start one, check that the browser accepts cookies, and that the link has the same host as the address to which TikTok redirects.</p>
${AGAIN}`,
  };
}

/** The link was altered, or is too old. */
function invalidLinkPage(): ConnectPage {
  return {
    status: 403,
    title: 'This link no longer works',
    body: '<p>The link is older than one day, or incomplete. Ask its sender for a new link.</p>',
  };
}

/** Something that is not the person's doing, in the words of its code. */
function failedPage(error: PublishError): ConnectPage {
  const { details } = error;
  const [what = ''] = error.message.split('\n', 1);
  const problems = (details.problems ?? []).map(({ message }) => `<li>${escapeHtml(message)}</li>`).join('');
  const logText = details.tiktokLogId === undefined ? '' : `, TikTok log ${escapeHtml(details.tiktokLogId)}`;
  return {
    status: statusOf(error),
    title: 'Not connected',
    body: `<p>${escapeHtml(what)}</p>
${problems === '' ? '' : `<ul>${problems}</ul>`}
${AGAIN}
<p>If this error persists, report it to the sender of the link: <code>${error.code}</code>${logText}.</p>`,
  };
}

function statusOf({ code }: PublishError): number {
  if (code.startsWith('INPUT_')) return 409;
  return code.startsWith('CONFIG_') || code.startsWith('REDIS_') ? 503 : 502;
}
