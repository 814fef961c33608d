import { createVaultTokenSource } from '../accounts/token-source.ts';
import { SECOND_MS } from '../core/units.ts';
import { createTikTokClient } from '../tiktok/index.ts';
import type { ClientApp } from './compose-client.ts';

/** Whether TikTok has ended the access, and if not, why. */
export interface RevokeOutcome {
  readonly revoked: boolean;
  readonly problem?: string;
}

const TIMEOUT_MS = 15 * SECOND_MS;

/** Gives the access to an account back, as well as that can be done now; never fails. */
export async function revokeGrant({ foundation, redis, vault }: ClientApp, account: string): Promise<RevokeOutcome> {
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
    return { revoked: false, problem: error instanceof Error ? error.message : String(error) };
  } finally {
    await tokens.close();
    await tiktok.close();
  }
}
