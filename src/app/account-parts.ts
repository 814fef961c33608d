import type { Logger } from 'pino';
import { type ConnectLinks, type ConnectLinksDeps, createConnectLinks } from '../accounts/connect-link.ts';
import { createManagedAccounts, type ManagedAccounts, type RevokeOutcome } from '../accounts/managed-accounts.ts';
import { createVaultTokenSource, type VaultTokenSource, type VaultTokenSourceDeps } from '../accounts/token-source.ts';
import { type AccountVault, createAccountVault } from '../accounts/vault.ts';
import type { Clock, RotatingSealer, TokenSource } from '../core/ports.ts';
import type { PostingPage } from '../core/posting-page.ts';
import { toPublishError } from '../core/publish-error.ts';
import { SECOND_MS } from '../core/units.ts';
import { askCreator } from '../limits/ask-creator.ts';
import { wakeLane } from '../limits/wake-jobs.ts';
import type { TikTokClient } from '../tiktok/index.ts';
import type { RedisAccess } from './redis-access.ts';
import type { RedisParts } from './redis-parts.ts';

const TIMEOUT_MS = 15 * SECOND_MS;

/** The accounts of the vault, and what TikTok is asked about them. */
export interface AccountParts {
  readonly vault: AccountVault;
  readonly tokens: VaultTokenSource;
  readonly accounts: ManagedAccounts;
  readonly connectLinks: ConnectLinks;
  /**
   * What TikTok allows an account to post just now, fresh.
   * @throws PublishError as {@link askCreator}
   */
  readonly askCreator: (nameOrOpenId: string) => Promise<PostingPage>;
}

export interface AccountPartsOptions {
  readonly sealer: RotatingSealer;
  readonly clock: Clock;
  readonly log: Logger | undefined;
  readonly clientKey: string | undefined;
  readonly clientSecret: string | undefined;
  readonly tiktok: TikTokClient;
  readonly onRefresh: VaultTokenSourceDeps['onRefresh'];
  readonly linkSettings: ConnectLinksDeps['settings'];
}

/** Builds each of them once; closing waits for token refreshes under way. */
export function openAccountParts(
  { keys, confirmation, onClose }: Pick<RedisAccess, 'keys' | 'confirmation' | 'onClose'>,
  parts: RedisParts,
  { sealer, clock, log, clientKey, clientSecret, tiktok, onRefresh, linkSettings }: AccountPartsOptions,
): AccountParts {
  const { redis, reservations, creatorCache: cache } = parts;
  const vault = createAccountVault({ redis, keys, sealer, confirmation, clock, clientKey });
  const tokens = createVaultTokenSource({ vault, redis, keys, tiktok, clientKey, clientSecret, clock, log, onRefresh });
  onClose(() => tokens.close());
  return {
    ...{ vault, tokens },
    accounts: createManagedAccounts({
      vault,
      wake: createWake(parts),
      revoke: (account) => revokeGrant(account, { clientKey, clientSecret, tiktok, tokens }),
    }),
    connectLinks: createConnectLinks({ redis, keys, sealer, clock, settings: linkSettings }),
    askCreator: async (nameOrOpenId) =>
      await askCreator(await vault.resolve(nameOrOpenId), { tokens, tiktok, reservations, cache, clock }),
  };
}

/** Wakes the jobs that waited for an account to be connected or resumed, under either of its names. */
function createWake(parts: Pick<RedisParts, 'lanes' | 'ledger' | 'queues' | 'reader'>) {
  const { reader, queues } = parts;
  return async ({ account, openId }: { readonly account: string; readonly openId: string }): Promise<void> => {
    for (const name of new Set([account, openId])) {
      await wakeLane(name, parts);
      // Their next poll was put off until a person could have come.
      for (const id of await reader.polledIds(name)) await queues.wakeStatusEntry(id);
    }
  };
}

/** What a publisher in another app's process needs of them. */
export type PublisherAccounts = Pick<AccountParts, 'vault' | 'askCreator' | 'accounts' | 'connectLinks'>;

interface RevokeParts {
  readonly clientKey: string | undefined;
  readonly clientSecret: string | undefined;
  readonly tiktok: Pick<TikTokClient, 'revokeToken'>;
  readonly tokens: TokenSource;
}

/** Tries to revoke the access to an account at TikTok; never fails. */
async function revokeGrant(
  account: string,
  { clientKey, clientSecret, tiktok, tokens }: RevokeParts,
): Promise<RevokeOutcome> {
  if (clientKey === undefined || clientSecret === undefined) {
    return { revoked: false, problem: 'TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET are not set' };
  }
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    // TikTok takes only a token that still works.
    const accessToken = await tokens.accessToken(account, { signal });
    await tiktok.revokeToken({ clientKey, clientSecret, accessToken }, { signal });
    return { revoked: true };
  } catch (error) {
    return { revoked: false, problem: toPublishError(error).message };
  }
}
