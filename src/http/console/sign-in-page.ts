import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isPercentEncoded } from '../../core/percent-encoding.ts';
import type { SignIns } from '../access/sign-in.ts';
import { escapeHtml } from '../escape-html.ts';
import { SIGN_IN_PATH } from '../links-page.ts';
import { type ConsolePage, sendConsolePage, textField } from './console-page.ts';
import { formOf, seeOther } from './console-routes.ts';

/** Stands for where we are. */
const OURS = 'http://ours.invalid';

interface SignInOptions {
  readonly signIns: SignIns;
  /** Whether there is a login beside API keys. */
  readonly hasLogin: boolean;
  readonly basePath: string;
}

/** The address at which a stranger signs in and comes back from to what was asked for. */
export function signInPath({ originalUrl, server }: FastifyRequest): string {
  const { basePath } = server;
  const path = originalUrl.startsWith(basePath) ? originalUrl.slice(basePath.length) : originalUrl;
  return `${basePath}${SIGN_IN_PATH}?${new URLSearchParams({ next: path })}`;
}

/** Adds the page on which people sign in, and the way out. */
export function addSignIn(scope: FastifyInstance, { signIns, hasLogin, basePath }: SignInOptions): void {
  const config = { isSignIn: true };
  const show = (reply: FastifyReply, next: string, status?: number) =>
    sendConsolePage(reply, signInPage({ next, hasLogin, status }, basePath), { basePath, pause: null });

  scope.get(SIGN_IN_PATH, { config }, async ({ query }, reply) => show(reply, ownPath(Object(query).next)));
  scope.post(SIGN_IN_PATH, { config }, async (request, reply) => {
    scope.guesses.refuse(request);
    const form = formOf(request);
    const text = (name: string) => form.get(name) ?? '';
    const proof =
      text('key') === ''
        ? signIns.proofOfLogin({ user: text('user'), password: text('password') })
        : await signIns.proofOfKey(text('key').trim());
    const next = ownPath(text('next'));
    if (proof === undefined) {
      scope.guesses.count(request);
      return await show(reply, next, 401);
    }
    // Another id, so that nobody can have known this session before.
    await request.session.regenerate();
    request.session.proof = proof;
    // Other apps on the host must not get it. Set here, since a proxy may remove the path before we see it.
    request.session.cookie.path = basePath === '' ? '/' : basePath;
    return await seeOther(reply, `${basePath}${next}`);
  });
  scope.post('/sign-out', { config }, async (request, reply) => {
    await request.session.destroy();
    return await seeOther(reply, `${basePath}${SIGN_IN_PATH}`);
  });
}

/** A path of ours, for whoever would have people sent elsewhere, as the pages do on which accounts are connected. */
function ownPath(next: unknown): string {
  const text = String(next ?? '/');
  const url = URL.canParse(text, OURS) ? new URL(text, OURS) : undefined;
  // A browser takes what two slashes begin for another host, and our router reads percent codes.
  const path = url?.origin === OURS && isPercentEncoded(url.pathname) ? decodeURIComponent(url.pathname) : '//';
  if (url === undefined || /^\/(\/|connect\/)/.test(path)) return '/';
  return url.pathname + url.search;
}

function signInPage(
  { next, hasLogin, status = 200 }: { next: string; hasLogin: boolean; status?: number | undefined },
  basePath: string,
): ConsolePage {
  const form = (fields: string, label: string) =>
    `<form method="post" action="${escapeHtml(basePath + SIGN_IN_PATH)}"><input type="hidden" name="next" value="${escapeHtml(next)}">
<div class="fields">${fields}</div><button>${label}</button></form>`;
  const secret = ' required autocomplete="current-password"';
  const login = `${textField('user', 'User', { extra: ' required autocomplete="username"' })}${textField('password', 'Password', { type: 'password', extra: secret })}`;
  return {
    title: 'Sign in',
    status,
    body: `${status === 401 ? '<p class="refused" role="alert">This key or login is not valid.</p>\n' : ''}${hasLogin ? `<h2>With the login of the board</h2>\n${form(login, 'Sign in')}` : ''}
<h2>With an API key</h2>
<p>You may do what the key may do.</p>
${form(textField('key', 'API key', { type: 'password', extra: secret }), 'Sign in with the key')}`,
  };
}
