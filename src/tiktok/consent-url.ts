/** What TikTok's consent page is told. */
export interface ConsentQuestion {
  readonly clientKey: string;
  readonly redirectUri: string;
  /** Comes back with the browser. */
  readonly state: string;
  /** Hex SHA-256 of the verifier, where RFC 7636 has base64url (login-kit-desktop, read 2026-11-22). */
  readonly codeChallenge: string;
  readonly scopes: readonly string[];
}

const CONSENT_PATH = '/v2/auth/authorize/';

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
  }).toString();
  return url.href;
}
