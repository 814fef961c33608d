import type { Clock, TokenSource } from '../core/ports.ts';
import { type PostingPage, toPostingPage } from '../core/posting-page.ts';
import { PublishError } from '../core/publish-error.ts';
import { callWithToken } from '../tiktok/call-with-token.ts';
import type { TikTokClient } from '../tiktok/index.ts';
import type { CreatorCache } from './creator-cache.ts';
import { holdQuotaOnRefusal, type Reservations } from './reservations.ts';
import { TIKTOK_QUOTAS } from './tiktok-quotas.ts';

export interface AskCreatorDeps {
  readonly tokens: TokenSource;
  readonly tiktok: Pick<TikTokClient, 'queryCreatorInfo'>;
  readonly reservations: Reservations;
  readonly cache: CreatorCache;
  readonly clock: Clock;
}

/**
 * Asks TikTok what a creator may post just now, for a posting page: it on which people post must show it fresh each time
 * (developers.tiktok.com/doc/content-sharing-guidelines, read 2026-11-22). Never waits for a place in the quota.
 * @param account the account's own name, which limits go by
 * @throws PublishError `TIKTOK_RATE_LIMITED` with the time to wait; `TIKTOK_DAILY_POST_CAP`, `TIKTOK_ACTIVE_USER_CAP`
 * or `TIKTOK_USER_BANNED` when the creator can't post now; `AUTH_*`, `INPUT_ACCOUNT_UNKNOWN`, `TRANSPORT_*`
 */
export async function askCreator(account: string, deps: AskCreatorDeps): Promise<PostingPage> {
  const { tokens, tiktok, reservations, cache, clock } = deps;
  const quota = { account, endpoint: 'creator_info', ...TIKTOK_QUOTAS.creator_info } as const;
  const { booked, waitMs } = await reservations.reserve({ ...quota, horizonMs: 0 });
  if (!booked) throw new PublishError('TIKTOK_RATE_LIMITED', { endpoint: 'creator_info', retryAfterMs: waitMs });
  const info = await holdQuotaOnRefusal(quota, { reservations, clock }, () =>
    callWithToken(account, { tokens }, (accessToken) => tiktok.queryCreatorInfo({ accessToken })),
  );
  await cache.remember(account, info);
  return toPostingPage(info);
}
