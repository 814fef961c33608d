import type { AccountTokens } from './accounts.ts';
import { type Answer, json } from './answers.ts';
import type { ApiRequest, ApiResult, ApiRoute } from './api-route.ts';
import type { World } from './world.ts';

/** developers.tiktok.com/doc/oauth-user-access-token-management, read 2026-11-22: form in, flat JSON out. */
export const oauthToken: ApiRoute = {
  endpoint: 'token',
  method: 'POST',
  path: '/v2/oauth/token/',
  identify: (world, request) => ({
    openId: world.accounts.ownerOfRefreshToken(new URLSearchParams(request.body).get('refresh_token') ?? ''),
  }),
  act(world, request) {
    const form = readForm(world, request);
    if ('refusal' in form) return { answer: form.refusal };
    const grantType = form.fields.get('grant_type') ?? '';
    const result = grantTokens(world, grantType, form.fields);
    return { ...result, grantType };
  },
};

/** Disconnects the user: all their tokens stop working. */
export const oauthRevoke: ApiRoute = {
  endpoint: 'revoke',
  method: 'POST',
  path: '/v2/oauth/revoke/',
  identify: (world, request) => ({
    openId: world.accounts.ownerOfAccessToken(new URLSearchParams(request.body).get('token') ?? ''),
  }),
  act(world, request) {
    const form = readForm(world, request);
    if ('refusal' in form) return { answer: form.refusal };
    const token = form.fields.get('token') ?? '';
    if (token === '') return { answer: world.answers.oauthError('invalid_request') };
    const openId = world.accounts.ownerOfAccessToken(token);
    if (openId === undefined) return { answer: world.answers.oauthError('invalid_grant') };
    world.revokeGrant(openId, 'by_developer');
    return { answer: json(200, {}, 'ok'), openId };
  },
};

/**
 * The consent page without the person: it sends the browser straight back with a code. It picks the account of the
 * query field `open_id`, which TikTok does not have, or the first account.
 */
export const oauthAuthorize: ApiRoute = {
  endpoint: 'authorize',
  method: 'GET',
  path: '/v2/auth/authorize/',
  identify: (world, request) => ({ openId: request.url.searchParams.get('open_id') ?? world.accounts.first() }),
  act(world, { url }) {
    const query = url.searchParams;
    const redirectUri = query.get('redirect_uri') ?? '';
    const account = world.accounts.get(query.get('open_id') ?? world.accounts.first() ?? '');
    const isKnownClient = query.get('client_key') === world.settings.clientKey;
    if (
      !isKnownClient ||
      account === undefined ||
      !URL.canParse(redirectUri) ||
      query.get('response_type') !== 'code'
    ) {
      return { answer: world.answers.oauthError('invalid_request') };
    }
    const target = new URL(redirectUri);
    const challenge = query.get('code_challenge') ?? undefined;
    target.searchParams.set('code', world.accounts.authorize(account.openId, redirectUri, challenge));
    target.searchParams.set('scopes', account.scopes.join(','));
    target.searchParams.set('state', query.get('state') ?? '');
    return { answer: { httpStatus: 302, headers: { location: target.href }, body: '' }, openId: account.openId };
  },
};

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

function readForm(world: World, request: ApiRequest): { fields: URLSearchParams } | { refusal: Answer } {
  const contentType = request.headers['content-type'] ?? '';
  if (!/^application\/x-www-form-urlencoded\b/i.test(contentType)) {
    return {
      refusal: world.answers.oauthError(
        'invalid_request',
        'Only `application/x-www-form-urlencoded` is supported as Content-Type.',
      ),
    };
  }
  const fields = new URLSearchParams(request.body);
  const { clientKey, clientSecret } = world.settings;
  if (fields.get('client_key') !== clientKey || fields.get('client_secret') !== clientSecret) {
    return { refusal: world.answers.oauthError('invalid_client') };
  }
  return { fields };
}
