import type { z } from 'zod';
import type { CallDeps } from './call-deps.ts';
import { observed } from './observe-request.ts';
import { parseOauthAnswer } from './parse-answer.ts';
import type { TikTokClient } from './tiktok-client.ts';
import { nothingWire, tokenGrantWire } from './wire.ts';

const TOKEN_PATH = '/v2/oauth/token/';
const REVOKE_PATH = '/v2/oauth/revoke/';
/** Fields of these calls that nobody else may see. */
const SECRET_FIELDS = ['client_secret', 'refresh_token', 'code', 'code_verifier', 'token'] as const;

/** The calls under `/v2/oauth/`: form-encoded, answered by flat JSON (oauth-user-access-token-management, read 2026-11-22). */
export function createOauthCalls(deps: CallDeps): Pick<TikTokClient, 'refreshToken' | 'exchangeCode' | 'revokeToken'> {
  return {
    refreshToken: ({ clientKey, clientSecret, refreshToken }, options = {}) => {
      const form = {
        client_key: clientKey,
        client_secret: clientSecret,
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
      };
      return postForm(deps, { name: 'oauth_refresh', path: TOKEN_PATH, wire: tokenGrantWire }, form, options.signal);
    },
    exchangeCode: ({ clientKey, clientSecret, code, redirectUri, codeVerifier }, options = {}) => {
      const form = {
        client_key: clientKey,
        client_secret: clientSecret,
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        ...(codeVerifier === undefined ? {} : { code_verifier: codeVerifier }),
      };
      return postForm(deps, { name: 'oauth_exchange', path: TOKEN_PATH, wire: tokenGrantWire }, form, options.signal);
    },
    revokeToken: ({ clientKey, clientSecret, accessToken }, options = {}) => {
      const form = { client_key: clientKey, client_secret: clientSecret, token: accessToken };
      return postForm(deps, { name: 'oauth_revoke', path: REVOKE_PATH, wire: nothingWire }, form, options.signal);
    },
  };
}

function postForm<T>(
  deps: CallDeps,
  endpoint: { readonly name: string; readonly path: string; readonly wire: z.ZodType<T> },
  form: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<T> {
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
