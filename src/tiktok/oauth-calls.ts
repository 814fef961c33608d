import type { z } from 'zod';
import type { ConsentQuestion } from '../core/ports.ts';
import { observed } from './observe-request.ts';
import { parseOauthAnswer } from './parse-answer.ts';
import type { ClientCredentials, TikTokClient } from './tiktok-client.ts';
import type { CallDeps } from './transport.ts';
import { nothingWire, tokenGrantWire } from './wire.ts';

const CONSENT_PATH = '/v2/auth/authorize/';

const TOKEN_PATH = '/v2/oauth/token/';
const REVOKE_PATH = '/v2/oauth/revoke/';
/** Fields of these calls that nobody else may see. */
const SECRET_FIELDS = ['client_secret', 'refresh_token', 'code', 'code_verifier', 'token'] as const;

/** The calls under `/v2/oauth/`: form-encoded, answered by flat JSON (oauth-user-access-token-management, read 2026-11-22). */
export function createOauthCalls(deps: CallDeps): Pick<TikTokClient, 'refreshToken' | 'exchangeCode' | 'revokeToken'> {
  return {
    refreshToken: ({ refreshToken, ...client }, { signal } = {}) => {
      const fields = { grant_type: 'refresh_token', refresh_token: refreshToken };
      const endpoint = { name: 'oauth_refresh', path: TOKEN_PATH, wire: tokenGrantWire };
      return postForm(deps, endpoint, { client, fields, signal });
    },
    exchangeCode: ({ code, redirectUri, codeVerifier, ...client }, { signal } = {}) => {
      const fields = {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        ...(codeVerifier === undefined ? {} : { code_verifier: codeVerifier }),
      };
      const endpoint = { name: 'oauth_exchange', path: TOKEN_PATH, wire: tokenGrantWire };
      return postForm(deps, endpoint, { client, fields, signal });
    },
    revokeToken: ({ accessToken, ...client }, { signal } = {}) => {
      const endpoint = { name: 'oauth_revoke', path: REVOKE_PATH, wire: nothingWire };
      return postForm(deps, endpoint, { client, fields: { token: accessToken }, signal });
    },
  };
}

function postForm<T>(
  deps: CallDeps,
  endpoint: { readonly name: string; readonly path: string; readonly wire: z.ZodType<T> },
  {
    client,
    fields,
    signal,
  }: { client: ClientCredentials; fields: Record<string, string>; signal?: AbortSignal | undefined },
): Promise<T> {
  const form: Record<string, string> = {
    client_key: client.clientKey,
    client_secret: client.clientSecret,
    ...fields,
  };
  return observed({ endpoint: endpoint.name }, deps, async (note) => {
    const answer = await deps.transport.post({
      endpoint: endpoint.name,
      url: new URL(endpoint.path, deps.apiBaseUrl),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
      ownConnection: true,
      sentSecrets: SECRET_FIELDS.flatMap((field) => form[field] ?? []),
      signal,
    });
    note({ httpStatus: answer.httpStatus });
    return parseOauthAnswer(endpoint.name, answer, endpoint.wire);
  });
}

/** Where a user is asked whether the app may post for them (login-kit-web, read 2026-11-22). */
export function consentUrl(apiBaseUrl: string, question: ConsentQuestion): string {
  // Only on this machine may the API be without TLS, and there it is a simulator that asks for itself.
  const isSimulated = new URL(apiBaseUrl).protocol === 'http:';
  const url = new URL(CONSENT_PATH, isSimulated ? apiBaseUrl : 'https://www.tiktok.com');
  url.search = new URLSearchParams({
    client_key: question.clientKey,
    response_type: 'code',
    scope: question.scopes.join(','),
    redirect_uri: question.redirectUri,
    state: question.state,
    code_challenge: question.codeChallenge,
    code_challenge_method: 'S256',
    // "disable_auto_auth: … 1 for always showing the authorization page" (login-kit-web, read 2026-11-22). Otherwise the
    // user that the browser knows is connected again, unasked.
    disable_auto_auth: '1',
  }).toString();
  return url.href;
}
