import { withRedisErrors } from '../redis/redis-unavailable.ts';
import type { AccountInput } from './account-input.ts';
import type { AccountSummary } from './account-record.ts';
import { missingScopes } from './scopes.ts';
import { accountUnknown } from './token-store.ts';
import type { AccountVault } from './vault.ts';

/** Whether TikTok has ended the access, and if not, why. */
export interface RevokeOutcome {
  /** Whether TikTok has ended the access. */
  readonly revoked: boolean;
  /** Why TikTok has not; its owner can end it in the TikTok app. */
  readonly problem?: string;
}

/** An account that was just connected. */
export interface ConnectedAccount extends AccountSummary {
  /** What publishing needs and the owner did not grant. */
  readonly missingScopes: string[];
}

/** An account that is gone here. */
export interface RemovedAccount extends RevokeOutcome {
  /** Its name. */
  readonly removed: string;
}

/**
 * What people and apps do with accounts. Accounts go by their name or open_id.
 * Every call but `connect` and `list` throws PublishError `INPUT_ACCOUNT_UNKNOWN`; all throw `REDIS_UNAVAILABLE`.
 */
export interface ManagedAccounts {
  /** Adds an account or renews its tokens; its waiting jobs go on. @throws PublishError `INPUT_INVALID` */
  connect(input: AccountInput): Promise<ConnectedAccount>;
  /** All accounts, oldest first. With `held` only those that hold their jobs back: paused, or to be connected again. */
  list(filter?: { readonly held?: boolean | undefined }): Promise<AccountSummary[]>;
  /** One account. */
  get(account: string): Promise<AccountSummary>;
  /** Holds back what the account publishes. */
  pause(account: string): Promise<AccountSummary>;
  /** Lets the jobs go on that waited. */
  resume(account: string): Promise<AccountSummary>;
  /** Forgets an account and its tokens. TikTok is told first, unless the grant is to be kept; a refusal there changes nothing here. */
  remove(account: string, options?: { readonly keepGrant?: boolean }): Promise<RemovedAccount>;
}

/** What else has to happen when accounts change. */
export interface ManagedAccountsDeps {
  readonly vault: AccountVault;
  /** Lets the waiting jobs of an account go on, or fail where it is gone. */
  readonly wake: (account: AccountSummary) => Promise<void>;
  /** Gives the access back at TikTok; never fails. */
  readonly revoke: (account: string) => Promise<RevokeOutcome>;
}

/** Puts the vault and what goes with it together. */
export function createManagedAccounts({ vault, wake, revoke }: ManagedAccountsDeps): ManagedAccounts {
  async function present(account: string): Promise<AccountSummary> {
    const summary = await vault.get(account);
    if (summary === undefined) throw accountUnknown(account);
    return summary;
  }

  return {
    connect: (input) =>
      withRedisErrors(async () => {
        const summary = await vault.add(input);
        await wake(summary);
        return { ...summary, missingScopes: missingScopes(summary.scope) };
      }),
    list: (filter) => withRedisErrors(() => vault.list(filter)),
    get: (account) => withRedisErrors(() => present(account)),
    pause: (account) =>
      withRedisErrors(async () => {
        const name = await vault.resolve(account);
        await vault.pause(name);
        await vault.confirmStored(name);
        return await present(name);
      }),
    resume: (account) =>
      withRedisErrors(async () => {
        const name = await vault.resolve(account);
        await vault.resume(name);
        await vault.confirmStored(name);
        const summary = await present(name);
        await wake(summary);
        return summary;
      }),
    remove: (account, { keepGrant = false } = {}) =>
      withRedisErrors(async () => {
        const summary = await present(account);
        const { account: name } = summary;
        const outcome: RevokeOutcome = keepGrant ? { revoked: false } : await revoke(name);
        await vault.remove(name);
        // Jobs that waited for it to be resumed or connected again find out now.
        await wake(summary);
        return { removed: name, ...outcome };
      }),
  };
}
