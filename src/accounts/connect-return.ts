import type { PublishError } from '../core/publish-error.ts';

/**
 * How a connection ended. `known_otherwise`: the user is stored as `account`, whose tokens were renewed, and was not
 * added under the name `wanted`. `link_used`: another browser was faster, or the link expired meanwhile.
 */
export type ConsentOutcome =
  | {
      readonly kind: 'connected';
      readonly account: string;
      /** Whether it had been connected before. */
      readonly wasKnown: boolean;
      readonly granted: string[];
      readonly missing: string[];
    }
  | { readonly kind: 'known_otherwise'; readonly account: string; readonly wanted: string }
  | { readonly kind: 'declined'; readonly tiktokCode: string; readonly tiktokMessage: string }
  | { readonly kind: 'link_used' }
  | { readonly kind: 'failed'; readonly error: PublishError };

/** What the app that asked for the link is told: never a secret, and no name of another account. */
interface ReturnedOutcome {
  readonly outcome: 'connected' | 'denied' | 'failed';
  /** Says more, unless all went well. */
  readonly code?: string;
}

/** Whether a browser may be sent there: an address at one of the origins that the operator lists. */
export function isReturnUrl(url: string, returnOrigins: readonly string[]): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, host, username, password } = new URL(url);
  // Not its `origin`, which a `blob:` has from the address inside.
  return returnOrigins.includes(`${protocol}//${host}`) && username + password === '';
}

/** Where the browser goes at the end of a flow, with what happened in the query. */
export function returnUrl(returnTo: string, account: string, end: ConsentOutcome): string {
  const url = new URL(returnTo);
  const { outcome, code } = returnedOutcome(end);
  // What the app had there under these names would be mistaken for ours.
  for (const [name, value] of Object.entries({ account, outcome, code })) {
    url.searchParams.delete(name);
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

function returnedOutcome(end: ConsentOutcome): ReturnedOutcome {
  switch (end.kind) {
    case 'connected':
      return { outcome: 'connected', ...(end.missing.length > 0 && { code: 'AUTH_SCOPE_MISSING' }) };
    case 'known_otherwise':
      return { outcome: 'failed', code: 'ALREADY_CONNECTED' };
    case 'declined': {
      const isNo = end.tiktokCode === 'access_denied';
      return isNo ? { outcome: 'denied', code: 'ACCESS_DENIED' } : { outcome: 'failed', code: 'CONSENT_FAILED' };
    }
    case 'link_used':
      return { outcome: 'failed', code: 'LINK_USED' };
    case 'failed':
      return { outcome: 'failed', code: end.error.code };
  }
}
