import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { orAbort } from '../core/deadline.ts';
import type { TokenSource } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { SECOND_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareScript, type RedisClient } from '../redis/lua-script.ts';
import type { StoredTokens } from './account-record.ts';
import {
  createTokenRefresh,
  OtherAppRefusal,
  reauthorizationRequired,
  type TokenRefreshDeps,
} from './token-refresh.ts';

/** Takes the lock if it is free, or ours already because a lost reply made the client ask twice. */
const ACQUIRE_LUA = `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`;

/** Frees the lock if it is still ours. */
const RELEASE_LUA = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`;

export interface VaultTokenSourceDeps extends TokenRefreshDeps {
  readonly redis: RedisClient;
  readonly keys: Keys;
}

/** A token source whose running refreshes can be waited for. */
export interface VaultTokenSource extends TokenSource {
  /** Waits for the refreshes under way: a process that ended before would lose tokens that TikTok has just replaced. */
  close(): Promise<void>;
}

/** While the old token still works, a refresh that failed is not tried again for so long. */
const PAUSE_AFTER_FAILURE_MS = 15 * SECOND_MS;
/** How long the lock outlives an owner that died (ms). */
const LOCK_TTL_MS = 15 * SECOND_MS;
/** Waiting for another process ends a little after a dead owner's lock. */
const LOCK_WAIT_MS = LOCK_TTL_MS + 5 * SECOND_MS;
const LOCK_POLL_MS = 50;

/**
 * Access tokens from the vault, refreshed when they are about to expire or were refused: once, however many callers
 * and processes want it. A refresh that could not be made leaves the account connected and, while it works, the old
 * token in use.
 */
export function createVaultTokenSource(deps: VaultTokenSourceDeps): VaultTokenSource {
  const { vault, redis, keys, clock = Date, log, onRefresh } = deps;
  const lock = createRefreshLock({ redis, keys, ttlMs: LOCK_TTL_MS });
  const refresh = createTokenRefresh(deps);
  const flights = new Map<string, Promise<StoredTokens>>();
  const failedAt = new Map<string, number>();

  /** Whether the token works, as far as we know. */
  function works({ accessToken, accessTokenExpiresAt: endsAt }: StoredTokens, rejectedToken?: string): boolean {
    return accessToken !== rejectedToken && (endsAt === undefined || endsAt > clock.now());
  }

  function isDue({ refreshDueAt: dueAt }: StoredTokens): boolean {
    return dueAt !== undefined && dueAt <= clock.now();
  }

  function mayRefresh({ account, refreshTokens }: StoredTokens): boolean {
    const lastFailureAt = failedAt.get(account) ?? Number.NEGATIVE_INFINITY;
    return refreshTokens.length > 0 && clock.now() >= lastFailureAt + PAUSE_AFTER_FAILURE_MS;
  }

  function joinFlight(stale: StoredTokens): Promise<StoredTokens> {
    // By version: a caller whose newest token was refused must not get that token from the flight that brought it.
    const key = `${stale.version} ${stale.account}`;
    const flying = flights.get(key);
    if (flying !== undefined) return flying;
    const flight = refreshAlone(stale).finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  }

  async function refreshAlone(stale: StoredTokens): Promise<StoredTokens> {
    const { account } = stale;
    const owner = randomUUID();
    try {
      const newer = await waitForLock(stale, owner);
      if (newer !== undefined) return newer;
      try {
        return await refresh(stale);
      } finally {
        // Unreleased, it ends by itself; the tokens are stored in any case.
        await lock
          .release(account, owner)
          .catch((err: unknown) => log?.warn({ account, err }, 'refresh lock not released'));
      }
    } catch (error) {
      if (isFinal(error)) throw error;
      failedAt.set(account, clock.now());
      onRefresh?.('failed');
      throw error;
    }
  }

  /** @returns undefined once the lock is ours, or the tokens that somebody else has stored meanwhile */
  async function waitForLock(stale: StoredTokens, owner: string): Promise<StoredTokens | undefined> {
    const deadline = performance.now() + LOCK_WAIT_MS;
    while (!(await lock.acquire(stale.account, owner))) {
      if (performance.now() > deadline) {
        const reason = `another process has been refreshing the tokens of "${stale.account}" for too long`;
        throw new PublishError('TRANSPORT_NO_ANSWER', { reason });
      }
      await sleep(LOCK_POLL_MS * (1 + Math.random()));
      const current = await vault.loadTokens(stale.account);
      if (current.version !== stale.version) return current;
    }
    return undefined;
  }

  return {
    async accessToken(account, { rejectedToken, signal } = {}) {
      signal?.throwIfAborted();
      const tokens = await vault.loadTokens(account);
      if (tokens.reauthorizationReason !== undefined) throw reauthorizationRequired(tokens.reauthorizationReason);
      const isUsable = works(tokens, rejectedToken);
      if (isUsable && (!isDue(tokens) || !mayRefresh(tokens))) return tokens.accessToken;
      try {
        return (await orAbort(joinFlight(tokens), signal)).accessToken;
      } catch (error) {
        if (signal?.aborted || isFinal(error) || !works(tokens, rejectedToken)) throw error;
        log?.warn(
          { account: tokens.account, err: error },
          'token refresh failed, using the old token until it expires',
        );
        return tokens.accessToken;
      }
    },

    async close() {
      await Promise.allSettled(flights.values());
    },
  };
}

/** Whether the account itself is lost, not just this attempt to refresh it. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof PublishError &&
    !(error instanceof OtherAppRefusal) &&
    (error.code === 'AUTH_REAUTHORIZATION_REQUIRED' || error.code === 'INPUT_ACCOUNT_UNKNOWN')
  );
}

/** Lets one process at a time refresh an account's tokens. An owner that dies or freezes loses it after `ttlMs`. */
interface RefreshLock {
  /** @param owner a random text that no other caller uses. @returns false if somebody else holds it */
  acquire(account: string, owner: string): Promise<boolean>;
  release(account: string, owner: string): Promise<void>;
}

function createRefreshLock(deps: { redis: RedisClient; keys: Keys; ttlMs: number }): RefreshLock {
  const { redis, keys, ttlMs } = deps;
  const runAcquire = prepareScript(redis, ACQUIRE_LUA);
  const runRelease = prepareScript(redis, RELEASE_LUA);
  return {
    acquire: async (account, owner) => (await runAcquire([keys.accountRefreshLock(account)], [owner, ttlMs])) === 1,
    release: async (account, owner) => {
      await runRelease([keys.accountRefreshLock(account)], [owner]);
    },
  };
}
