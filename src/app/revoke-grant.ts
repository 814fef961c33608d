import type { RevokeOutcome } from '../accounts/managed-accounts.ts';
import type { TokenSource } from '../core/ports.ts';
import { toPublishError } from '../core/publish-error.ts';
import { SECOND_MS } from '../core/units.ts';
import type { TikTokClient } from '../tiktok/index.ts';

const TIMEOUT_MS = 15 * SECOND_MS;

/** What giving an access back takes. */
export interface RevokeParts {
  readonly clientKey: string | undefined;
  readonly clientSecret: string | undefined;
  readonly tiktok: Pick<TikTokClient, 'revokeToken'>;
  readonly tokens: TokenSource;
}

/** Gives the access to an account back, as well as that can be done now; never fails. */
export async function revokeGrant(
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
