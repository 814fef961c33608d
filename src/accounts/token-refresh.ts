import type { Logger } from 'pino';
import { startDeadline } from '../core/deadline.ts';
import type { Clock } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { SECOND_MS } from '../core/units.ts';
import type { AccountInput } from './account-input.ts';
import type { StoredTokens } from './account-record.ts';
import { clientKeyHint, isOtherApp, otherAppText } from './client-key.ts';
import type { AccountVault } from './vault.ts';

/** Tokens as TikTok's OAuth answers them. */
export type NewTokens = Omit<AccountInput, 'account'>;

/** The one call to TikTok that the token source makes. @internal */
export interface TokenRefresher {
  /** @throws PublishError `AUTH_REAUTHORIZATION_REQUIRED` if TikTok refuses the refresh token, another code otherwise */
  refreshToken(
    request: { clientKey: string; clientSecret: string; refreshToken: string },
    options: { signal: AbortSignal },
  ): Promise<NewTokens>;
}

/** How a refresh ended; `overtaken`: somebody else's newer tokens were kept. @internal */
export type RefreshOutcome = 'refreshed' | 'overtaken' | 'reauthorization_required' | 'failed';

export interface TokenRefreshDeps {
  readonly vault: AccountVault;
  readonly tiktok: TokenRefresher;
  readonly clientKey?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly log?: Logger | undefined;
  /** Told how every refresh that was tried ended; for metrics. */
  readonly onRefresh?: ((outcome: RefreshOutcome) => void) | undefined;
}

/** How long TikTok may take to answer a refresh (ms); well below the lock's life, so that a live owner never loses it. */
const REFRESH_TIMEOUT_MS = 10 * SECOND_MS;
/** Tokens that came while this process was frozen can't be fetched twice, so there is this time left to read them. */
const READING_MS = SECOND_MS;

/** Tokens that TikTok gave and that are not stored yet: losing them would disconnect the account. */
interface UnsavedGrant {
  readonly grant: NewTokens;
  readonly replaces: StoredTokens;
  readonly grantedAt: number;
}

/**
 * Refreshes an account's tokens with TikTok. The caller holds the account's lock.
 *
 * TikTok's refresh tokens work once (developers.tiktok.com/doc/oauth-user-access-token-management, read 2026-11-22), so
 * new tokens are stored before anybody uses them, and nothing but TikTok's own refusal ever counts as disconnected.
 *
 * @returns the tokens that are stored at the end: refreshed by us or, meanwhile, by somebody else
 */
export function createTokenRefresh(deps: TokenRefreshDeps): (stale: StoredTokens) => Promise<StoredTokens> {
  const { vault, tiktok, clientKey, clientSecret, clock = Date, log, onRefresh } = deps;
  const unsavedGrants = new Map<string, UnsavedGrant>();

  async function refresh(stale: StoredTokens): Promise<StoredTokens> {
    const unsaved = unsavedGrants.get(stale.account);
    if (unsaved !== undefined) await store(unsaved);

    const current = await vault.loadTokens(stale.account);
    if (current.version !== stale.version) return current;
    if (current.reauthorizationReason !== undefined) throw reauthorizationRequired(current.reauthorizationReason);

    // A refresh token works once: what cannot be kept for certain is not asked for.
    await vault.confirmStored(current.account);
    for (const refreshToken of current.refreshTokens) {
      const grantedAt = clock.now();
      const grant = await askTikTok(current.account, refreshToken);
      if (grant !== undefined) return await accept({ grant, replaces: current, grantedAt });
      const newer = await vault.loadTokens(current.account);
      if (newer.version !== current.version) return newer;
    }
    return await giveUp(current, refusalReason(current));
  }

  /** Why an account must be connected again. @throws OtherAppRefusal where that is not what TikTok has said */
  function refusalReason({ account, refreshTokens, clientKey: grantedTo }: StoredTokens): string {
    if (refreshTokens.length === 0) {
      return `the access token of "${account}" is no longer valid, and there is no refresh token`;
    }
    if (isOtherApp(grantedTo, clientKey)) throw new OtherAppRefusal(account, clientKeyHint(grantedTo));
    return `TikTok refused the refresh token of "${account}": it has expired, the owner revoked the consent, or it belongs to another app`;
  }

  /** @returns undefined if TikTok refused the refresh token itself */
  async function askTikTok(account: string, refreshToken: string): Promise<NewTokens | undefined> {
    if (clientKey === undefined || clientSecret === undefined) {
      throw new PublishError('CONFIG_CLIENT_CREDENTIALS_MISSING', {
        reason: `TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET are required to refresh the access token of "${account}"`,
      });
    }
    const { signal, stop } = startDeadline({
      withinMs: REFRESH_TIMEOUT_MS,
      readingMs: READING_MS,
      reason: () => new DOMException('no answer in time', 'TimeoutError'),
    });
    try {
      return await tiktok.refreshToken({ clientKey, clientSecret, refreshToken }, { signal });
    } catch (error) {
      if (error instanceof PublishError && error.code === 'AUTH_REAUTHORIZATION_REQUIRED') return undefined;
      if (!signal.aborted) throw error;
      const reason = `TikTok did not respond to a token refresh within ${REFRESH_TIMEOUT_MS / SECOND_MS} s`;
      throw new PublishError('TRANSPORT_NO_ANSWER', { reason }, { cause: error });
    } finally {
      stop();
    }
  }

  async function accept(granted: UnsavedGrant): Promise<StoredTokens> {
    const { grant, replaces } = granted;
    if (grant.openId !== replaces.openId) {
      const reason = `expected tokens of the TikTok user ${replaces.openId} for "${replaces.account}", got those of ${grant.openId}`;
      return await giveUp(replaces, reason);
    }
    unsavedGrants.set(replaces.account, granted);
    await store(granted);
    return await vault.loadTokens(replaces.account);
  }

  /** If it fails or can't be confirmed, the grant stays in memory and the next refresh stores it first. */
  async function store(granted: UnsavedGrant): Promise<void> {
    const { grant, replaces, grantedAt } = granted;
    const { account, version, openId } = replaces;
    const saved = await vault.saveTokens(account, grant, { expectedVersion: version, grantedAt, clientKey });
    if (!saved && grant.refreshToken !== undefined && (await vault.get(account))?.openId === openId) {
      await vault.saveFallbackRefreshToken(account, grant.refreshToken);
    }
    if (!(await vault.confirmStored(account))) {
      throw new PublishError('REDIS_NOT_REPLICATED', {
        reason: 'the new tokens were stored on a master that was then replaced',
      });
    }
    unsavedGrants.delete(account);
    onRefresh?.(saved ? 'refreshed' : 'overtaken');
    log?.info({ account, saved }, 'access token refreshed');
  }

  async function giveUp(current: StoredTokens, reason: string): Promise<StoredTokens> {
    const { account, version } = current;
    const marked = await vault.markReauthorizationRequired(account, { reason, expectedVersion: version });
    if (!marked) return await vault.loadTokens(account);
    onRefresh?.('reauthorization_required');
    log?.warn({ account, reason }, 'reauthorization required');
    throw reauthorizationRequired(reason);
  }

  return refresh;
}

/**
 * TikTok renews tokens for the app alone that they were granted to. So this refusal says nothing of the grant: the
 * account is not given up, and works again as soon as the settings name its app.
 */
export class OtherAppRefusal extends PublishError {
  constructor(account: string, hint: string) {
    super('AUTH_REAUTHORIZATION_REQUIRED', { reason: otherAppText(account, hint) });
  }
}

/** The error for an account that only its owner can connect again. */
export function reauthorizationRequired(reason: string): PublishError {
  return new PublishError('AUTH_REAUTHORIZATION_REQUIRED', { reason });
}
