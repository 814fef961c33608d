import type { AccountProfile, AccountTokens } from './accounts.ts';
import { type Answer, json } from './answers.ts';
import type { ApiResult, ApiRoute } from './api-route.ts';
import type { World } from './world.ts';

/** An endpoint for the app itself: form in, flat JSON out. */
interface OauthCall extends Pick<ApiRoute, 'endpoint' | 'path'> {
  /** The open_id the form's token belongs to. */
  ownerOf(world: World, fields: URLSearchParams): string | undefined;
  act(world: World, fields: URLSearchParams): ApiResult;
}

function oauthRoute(call: OauthCall): ApiRoute {
  return {
    endpoint: call.endpoint,
    method: 'POST',
    path: call.path,
    identify: (world, { body }) => ({ openId: call.ownerOf(world, new URLSearchParams(body)) }),
    act(world, { headers, body }) {
      if (!/^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '')) {
        const description = 'Only `application/x-www-form-urlencoded` is supported as Content-Type.';
        return { answer: world.answers.oauthError('invalid_request', description) };
      }
      const fields = new URLSearchParams(body);
      const { clientKey, clientSecret } = world.settings;
      const isApp = fields.get('client_key') === clientKey && fields.get('client_secret') === clientSecret;
      return isApp ? call.act(world, fields) : { answer: world.answers.oauthError('invalid_client') };
    },
  };
}

/** developers.tiktok.com/doc/oauth-user-access-token-management, read 2026-11-22. */
export const oauthToken = oauthRoute({
  endpoint: 'token',
  path: '/v2/oauth/token/',
  ownerOf: ({ accounts }, fields) => accounts.ownerOfRefreshToken(fields.get('refresh_token') ?? ''),
  act(world, fields) {
    const grantType = fields.get('grant_type') ?? '';
    return { ...grantTokens(world, grantType, fields), grantType };
  },
});

/** Disconnects the user: all their tokens stop working. */
export const oauthRevoke = oauthRoute({
  endpoint: 'revoke',
  path: '/v2/oauth/revoke/',
  ownerOf: ({ accounts }, fields) => accounts.ownerOfAccessToken(fields.get('token') ?? ''),
  act(world, fields) {
    const token = fields.get('token') ?? '';
    if (token === '') return { answer: world.answers.oauthError('invalid_request') };
    const openId = world.accounts.ownerOfAccessToken(token);
    if (openId === undefined) return { answer: world.answers.oauthError('invalid_grant') };
    world.revokeGrant(openId, 'by_developer');
    return { answer: json(200, {}, 'ok') };
  },
});

/**
 * The consent page. A browser is asked, as TikTok asks; programs are sent straight back with a code, for the account of the
 * query field `open_id`, which TikTok does not have, or the first account.
 */
export const oauthAuthorize: ApiRoute = {
  endpoint: 'authorize',
  method: 'GET',
  path: '/v2/auth/authorize/',
  identify: (world, request) => ({ openId: request.url.searchParams.get('open_id') ?? world.accounts.first() }),
  act(world, { url, headers }) {
    const query = url.searchParams;
    const redirectUri = query.get('redirect_uri') ?? '';
    const isKnownClient = query.get('client_key') === world.settings.clientKey;
    if (!isKnownClient || !URL.canParse(redirectUri) || query.get('response_type') !== 'code') {
      return { answer: world.answers.oauthError('invalid_request') };
    }
    const isAnswered = ['open_id', 'new_user', 'error'].some((field) => query.has(field));
    if (!isAnswered && headers.accept?.includes('text/html') === true) {
      return { answer: consentPage(url, world.accounts.all()) };
    }
    const state = query.get('state') ?? '';
    const error = query.get('error');
    if (error !== null) return sendBack(redirectUri, { error, error_description: 'The user denied access', state });
    const openId = query.has('new_user') ? world.accounts.add({}).openId : query.get('open_id');
    const account = world.accounts.get(openId ?? world.accounts.first() ?? '');
    if (account === undefined) return { answer: world.answers.oauthError('invalid_request') };
    const code = world.accounts.authorize(account.openId, redirectUri, query.get('code_challenge') ?? undefined);
    return sendBack(redirectUri, { code, scopes: account.scopes.join(','), state });
  },
};

function sendBack(redirectUri: string, fields: Readonly<Record<string, string>>): ApiResult {
  const target = new URL(redirectUri);
  for (const [name, value] of Object.entries(fields)) target.searchParams.set(name, value);
  return { answer: { httpStatus: 302, headers: { location: target.href }, body: '' } };
}

function grantTokens(world: World, grantType: string, fields: URLSearchParams): ApiResult {
  switch (grantType) {
    case 'refresh_token': {
      const refreshToken = fields.get('refresh_token') ?? '';
      if (refreshToken === '') return { answer: world.answers.oauthError('invalid_request') };
      return answerTokens(world, world.accounts.refresh(refreshToken));
    }
    case 'authorization_code': {
      const code = fields.get('code') ?? '';
      const redirectUri = fields.get('redirect_uri') ?? '';
      if (code === '' || redirectUri === '') return { answer: world.answers.oauthError('invalid_request') };
      return answerTokens(world, world.accounts.exchange(code, redirectUri, fields.get('code_verifier') ?? undefined));
    }
    default:
      return { answer: world.answers.oauthError('unsupported_grant_type') };
  }
}

function answerTokens(world: World, tokens: AccountTokens | undefined): ApiResult {
  if (tokens === undefined) return { answer: world.answers.oauthError('invalid_grant') };
  const body = {
    access_token: tokens.accessToken,
    expires_in: tokens.expiresIn,
    open_id: tokens.openId,
    refresh_expires_in: tokens.refreshExpiresIn,
    refresh_token: tokens.refreshToken,
    scope: tokens.scope,
    token_type: 'Bearer',
  };
  return { answer: json(200, body, 'ok'), openId: tokens.openId };
}

/** The simulated consent page for a person: they choose who is logged in, and allow or decline. */
function consentPage(url: URL, accounts: Iterable<AccountProfile>): Answer {
  const link = (answer: Readonly<Record<string, string>>, text: string) => {
    const query = new URLSearchParams({ ...Object.fromEntries(url.searchParams), ...answer });
    return `<li><a href="?${escapeHtml(query.toString())}">${escapeHtml(text)}</a></li>`;
  };
  const users = [...accounts].map(({ openId, nickname, username }) =>
    link({ open_id: openId }, `Allow, as ${nickname} (@${username})`),
  );
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Simulated TikTok: consent</title>
<style>:root { color-scheme: light dark } body { font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }</style>
<h1>Simulated TikTok</h1>
<p>An app asks to post for you. Who are you?</p>
<ul>
${[...users, link({ new_user: '1' }, 'Allow, as a new user'), link({ error: 'access_denied' }, 'Decline')].join('\n')}
</ul>
</html>
`;
  return {
    httpStatus: 200,
    headers: { 'content-type': 'text/html; charset=utf-8', 'referrer-policy': 'no-referrer' },
    body,
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
