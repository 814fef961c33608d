import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ConsentQuestion, Sealer } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { MINUTE_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { type AccountInput, parseAccountName } from './account-input.ts';
import type { AccountSummary } from './account-record.ts';
import { missingScopes, PUBLISHING_SCOPES, splitScopes } from './scopes.ts';
import type { NewTokens } from './token-refresh.ts';
import type { AccountVault } from './vault.ts';

interface ConsentClient {
  consentUrl(question: ConsentQuestion): string;
  /** @throws PublishError */
  exchangeCode(request: {
    clientKey: string;
    clientSecret: string;
    code: string;
    redirectUri: string;
    codeVerifier: string;
  }): Promise<NewTokens>;
}

export interface ConnectFlowDeps {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly sealer: Sealer;
  readonly vault: Pick<AccountVault, 'add' | 'get'>;
  readonly tiktok: ConsentClient;
  readonly clientKey?: string | undefined;
  readonly clientSecret?: string | undefined;
  /** Told of each account once its tokens are stored, before the browser is answered. */
  readonly onConnected: (account: AccountSummary) => Promise<void>;
}

/** What TikTok's consent page sent the browser back with. */
interface ConsentAnswer {
  readonly state: string;
  readonly code?: string | undefined;
  readonly error?: string | undefined;
  readonly errorDescription?: string | undefined;
}

/**
 * How a connection ended. `known_otherwise`: the user is stored as `account`, whose tokens were renewed, and was not
 * added under the name `wanted`. `stale`: it was never begun, took too long or is over already.
 */
export type ConsentOutcome =
  | { readonly kind: 'connected'; readonly account: string; readonly granted: string[]; readonly missing: string[] }
  | { readonly kind: 'known_otherwise'; readonly account: string; readonly wanted: string }
  | { readonly kind: 'declined'; readonly tiktokCode: string; readonly tiktokMessage: string }
  | { readonly kind: 'stale' };

/** Leads the owner of a TikTok account through TikTok's consent, and stores the tokens that come of it. */
export interface ConnectFlow {
  /**
   * @param request `account`: the name to store it under; the user's open_id unless given
   * @returns where to send the browser, and the state that must come back from there
   * @throws PublishError `CONFIG_CLIENT_CREDENTIALS_MISSING`, or `INPUT_INVALID` for a name that can't be one
   */
  begin(request: { account?: string | undefined; redirectUri: string }): Promise<{ consentUrl: string; state: string }>;
  /**
   * Works once for each state.
   * @throws PublishError what TikTok answered, or `INPUT_INVALID` where the name or the TikTok user is another's
   */
  finish(answer: ConsentAnswer): Promise<ConsentOutcome>;
}

/** How long the owner may take at TikTok. */
export const CONSENT_TIMEOUT_MS = 10 * MINUTE_MS;

/** Bytes of randomness; as base64url they are a PKCE verifier of the least allowed length (RFC 7636, 4.1). */
const SECRET_BYTES = 32;
const STATE_FORM = /^[\w-]{43}$/;

const begunSchema = z.object({ account: z.string().optional(), redirectUri: z.string(), codeVerifier: z.string() });

/** Creates the flow on a Redis, so that any process may take up what another has begun. */
export function createConnectFlow(deps: ConnectFlowDeps): ConnectFlow {
  const { redis, keys, sealer, vault, tiktok, clientKey, clientSecret, onConnected } = deps;

  function credentials() {
    if (clientKey !== undefined && clientSecret !== undefined) return { clientKey, clientSecret };
    throw new PublishError('CONFIG_CLIENT_CREDENTIALS_MISSING', {
      reason: 'TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET are needed to connect an account',
    });
  }

  /** Takes what was begun out of Redis, so that nobody can use it twice. */
  async function take(state: string) {
    const digest = digestOf(state);
    const sealed = STATE_FORM.test(state) ? await redis.getdel(keys.connectState(digest)) : null;
    return sealed === null ? undefined : begunSchema.parse(JSON.parse(await sealer.open(sealed, contextOf(digest))));
  }

  async function store(wanted: string | undefined, grant: NewTokens): Promise<AccountSummary> {
    const known = await vault.get(grant.openId);
    const account = known?.account ?? wanted ?? grant.openId;
    // Also for a user who is known by another name: TikTok may have stopped the tokens that were stored there.
    const summary = await vault.add({ ...toInput(grant), account });
    await onConnected(summary);
    return summary;
  }

  return {
    async begin({ account, redirectUri }) {
      const { clientKey } = credentials();
      const name = account === undefined ? undefined : parseAccountName(account);
      const [state, codeVerifier] = [randomText(), randomText()];
      const begun: z.input<typeof begunSchema> = { account: name, redirectUri, codeVerifier };
      const digest = digestOf(state);
      const sealed = await sealer.seal(JSON.stringify(begun), contextOf(digest));
      await redis.set(keys.connectState(digest), sealed, 'PX', CONSENT_TIMEOUT_MS);
      const codeChallenge = createHash('sha256').update(codeVerifier).digest('hex');
      const consentUrl = tiktok.consentUrl({ clientKey, redirectUri, state, codeChallenge, scopes: PUBLISHING_SCOPES });
      return { consentUrl, state };
    },

    async finish({ state, code, error, errorDescription = '' }) {
      const begun = await take(state);
      if (begun === undefined) return { kind: 'stale' };
      if (code === undefined) {
        return { kind: 'declined', tiktokCode: error ?? 'no code', tiktokMessage: errorDescription };
      }
      const { redirectUri, codeVerifier } = begun;
      const grant = await tiktok.exchangeCode({ ...credentials(), code, redirectUri, codeVerifier });
      const { account, scope } = await store(begun.account, grant);
      const wanted = begun.account ?? account;
      if (wanted !== account) return { kind: 'known_otherwise', account, wanted };
      return { kind: 'connected', account, granted: splitScopes(scope), missing: missingScopes(scope) };
    },
  };
}

function contextOf(digest: string): string {
  return `connect:${digest}`;
}

/** The name of a state in Redis: somebody who reads Redis cannot finish another's connection. */
function digestOf(state: string): string {
  return createHash('sha256').update(state).digest('hex');
}

function randomText(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

function toInput({ scope, ...grant }: NewTokens): Omit<AccountInput, 'account'> {
  return { ...grant, ...(scope !== undefined && scope !== '' && { scope }) };
}
