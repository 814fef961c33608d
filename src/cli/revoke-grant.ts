import type { RevokeOutcome } from '../accounts/managed-accounts.ts';
import { createVaultTokenSource } from '../accounts/token-source.ts';
import type { AccountVault } from '../accounts/vault.ts';
import { toPublishError } from '../core/publish-error.ts';
import { SECOND_MS } from '../core/units.ts';
import type { Foundation } from '../foundation/foundation.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { createTikTokClient } from '../tiktok/index.ts';

const TIMEOUT_MS = 15 * SECOND_MS;

/** What giving an access back takes. */
export interface RevokeParts {
  readonly foundation: Foundation;
  readonly redis: RedisClient;
  readonly vault: AccountVault;
}

/** Gives the access to an account back, as well as that can be done now; never fails. */
export async function revokeGrant({ foundation, redis, vault }: RevokeParts, account: string): Promise<RevokeOutcome> {
  const { config, keys } = foundation;
  const { apiBaseUrl, clientKey, clientSecret } = config.tiktok;
  if (clientKey === undefined || clientSecret === undefined) {
    return { revoked: false, problem: 'TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET are not set' };
  }
  const tiktok = createTikTokClient({ apiBaseUrl });
  const tokens = createVaultTokenSource({ vault, redis, keys, tiktok, clientKey, clientSecret });
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    // TikTok takes only a token that still works.
    const accessToken = await tokens.accessToken(account, { signal });
    await tiktok.revokeToken({ clientKey, clientSecret, accessToken }, { signal });
    return { revoked: true };
  } catch (error) {
    return { revoked: false, problem: toPublishError(error).message };
  } finally {
    await tokens.close();
    await tiktok.close();
  }
}
