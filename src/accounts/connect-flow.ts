import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ConsentQuestion, Sealer } from '../core/ports.ts';
import { PublishError, toPublishError } from '../core/publish-error.ts';
import { sha256Hex } from '../core/request-digest.ts';
import { MINUTE_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { withRedisErrors } from '../redis/redis-unavailable.ts';
import { type AccountInput, parseAccountName } from './account-input.ts';
import type { ConnectLinks, OpenLink } from './connect-link.ts';
import type { ConsentOutcome } from './connect-return.ts';
import type { ManagedAccounts } from './managed-accounts.ts';
import { PUBLISHING_SCOPES, splitScopes } from './scopes.ts';
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
  readonly vault: Pick<AccountVault, 'get'>;
  readonly accounts: Pick<ManagedAccounts, 'connect'>;
  readonly links: Pick<ConnectLinks, 'use'>;
  readonly tiktok: ConsentClient;
  readonly clientKey?: string | undefined;
  readonly clientSecret?: string | undefined;
}

interface BeginRequest {
  readonly account?: string | undefined;
  readonly link?: OpenLink | undefined;
  readonly redirectUri: string;
}

/** What TikTok's consent page sent the browser back with. */
interface ConsentAnswer {
  readonly state: string;
  readonly code?: string | undefined;
  readonly error?: string | undefined;
  readonly errorDescription?: string | undefined;
}

/** What came of a connection, and of which link. */
export interface ConsentEnd {
  readonly outcome: ConsentOutcome;
  readonly link?: OpenLink | undefined;
}

/** Leads the owner of a TikTok account through TikTok's consent, and stores the tokens that come of it. */
export interface ConnectFlow {
  /**
   * @param request `account`: the name to store it under; the user's open_id unless given. `link`: what the browser came with
   * @returns where to send the browser, and the state that must come back from there
   * @throws PublishError `CONFIG_CLIENT_CREDENTIALS_MISSING`, or `INPUT_INVALID` for a name that can't be one
   */
  begin(request: BeginRequest): Promise<{ consentUrl: string; state: string }>;
  /**
   * Works once for each state, and connects once for each link.
   * @returns undefined: it was never begun, took too long or is over already
   */
  finish(answer: ConsentAnswer): Promise<ConsentEnd | undefined>;
}

/** How long the owner may take at TikTok. */
export const CONSENT_TIMEOUT_MS = 10 * MINUTE_MS;

/** Bytes of randomness; as base64url they are a PKCE verifier of the least allowed length (RFC 7636, 4.1). */
const SECRET_BYTES = 32;
const STATE_FORM = /^[\w-]{43}$/;

const begunSchema = z.object({
  account: z.string().optional(),
  link: z.object({ id: z.string(), account: z.string(), returnTo: z.string().optional() }).optional(),
  redirectUri: z.string(),
  codeVerifier: z.string(),
});
type Begun = z.output<typeof begunSchema>;

/** Creates the flow on a Redis, so that any process may take up what another has begun. */
export function createConnectFlow(deps: ConnectFlowDeps): ConnectFlow {
  const { redis, keys, sealer, vault, accounts, links, tiktok } = deps;

  /** Takes what was begun out of Redis, so that nobody can use it twice. */
  async function take(state: string) {
    const digest = sha256Hex(state);
    const sealed = STATE_FORM.test(state) ? await redis.getdel(keys.connectState(digest)) : null;
    return sealed === null ? undefined : begunSchema.parse(JSON.parse(await sealer.open(sealed, contextOf(digest))));
  }

  async function exchange({ redirectUri, codeVerifier, ...begun }: Begun, code: string): Promise<ConsentOutcome> {
    const grant = await tiktok.exchangeCode({ ...clientCredentials(deps), code, redirectUri, codeVerifier });
    const known = await vault.get(grant.openId);
    const wanted = begun.account ?? known?.account ?? grant.openId;
    // Also for a user who is known by another name: TikTok may have stopped the tokens that were stored there.
    const { account, scope, missingScopes } = await accounts.connect({
      ...toInput(grant),
      account: known?.account ?? wanted,
    });
    if (wanted !== account) return { kind: 'known_otherwise', account, wanted };
    const wasKnown = known !== undefined;
    return { kind: 'connected', account, wasKnown, granted: splitScopes(scope), missing: missingScopes };
  }

  /** Connects with a link, which is used up by that alone: who took the wrong user, or met an outage, opens it again. */
  async function exchangeWithLink(begun: Begun, code: string): Promise<ConsentOutcome> {
    const giveBack = begun.link === undefined ? async () => undefined : await links.use(begun.link.id);
    if (giveBack === undefined) return { kind: 'link_used' };
    try {
      const outcome = await withRedisErrors(() => exchange(begun, code));
      if (outcome.kind !== 'connected') await giveBack();
      return outcome;
    } catch (error) {
      // Without Redis the link stays used, and its owner asks for another one.
      await giveBack().catch(() => undefined);
      return { kind: 'failed', error: toPublishError(error) };
    }
  }

  return {
    async begin({ link, account = link?.account, redirectUri }) {
      const { clientKey } = clientCredentials(deps);
      const name = account === undefined ? undefined : parseAccountName(account);
      const [state, codeVerifier] = [randomText(), randomText()];
      const begun: z.input<typeof begunSchema> = { account: name, link, redirectUri, codeVerifier };
      // The name of a state in Redis: somebody who reads Redis cannot finish another's connection.
      const digest = sha256Hex(state);
      const sealed = await sealer.seal(JSON.stringify(begun), contextOf(digest));
      await redis.set(keys.connectState(digest), sealed, 'PX', CONSENT_TIMEOUT_MS);
      const codeChallenge = sha256Hex(codeVerifier);
      const consentUrl = tiktok.consentUrl({ clientKey, redirectUri, state, codeChallenge, scopes: PUBLISHING_SCOPES });
      return { consentUrl, state };
    },

    async finish({ state, code, error = 'no code', errorDescription = '' }) {
      const begun = await take(state);
      if (begun === undefined) return undefined;
      const outcome: ConsentOutcome =
        code === undefined
          ? { kind: 'declined', tiktokCode: error, tiktokMessage: errorDescription }
          : await exchangeWithLink(begun, code);
      return { outcome, link: begun.link };
    },
  };
}

/** The app's credentials at TikTok. @throws PublishError `CONFIG_CLIENT_CREDENTIALS_MISSING` */
export function clientCredentials({ clientKey, clientSecret }: Pick<ConnectFlowDeps, 'clientKey' | 'clientSecret'>): {
  clientKey: string;
  clientSecret: string;
} {
  if (clientKey !== undefined && clientSecret !== undefined) return { clientKey, clientSecret };
  throw new PublishError('CONFIG_CLIENT_CREDENTIALS_MISSING', {
    reason: 'TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET are required to connect an account',
  });
}

function contextOf(digest: string): string {
  return `connect:${digest}`;
}

function randomText(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

function toInput({ scope, ...grant }: NewTokens): Omit<AccountInput, 'account'> {
  return { ...grant, ...(scope !== undefined && scope !== '' && { scope }) };
}
