import type { AccountSummary } from '../accounts/account-record.ts';
import { CONSENT_TIMEOUT_MS, createConnectFlow } from '../accounts/connect-flow.ts';
import type { AccountVault } from '../accounts/vault.ts';
import type { Foundation } from '../foundation/foundation.ts';
import type { ConnectOptions } from '../http/connect.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { consentUrl } from '../tiktok/consent-url.ts';
import { createTikTokClient, type TikTokClientOptions } from '../tiktok/index.ts';

/** What the parts that deal with TikTok's consent stand on. */
export interface ConsentParts {
  readonly foundation: Foundation;
  readonly redis: RedisClient;
  readonly vault: AccountVault;
  readonly onRequest?: TikTokClientOptions['onRequest'];
  /** Told of each account that may publish again. */
  readonly onUsable: (account: AccountSummary) => Promise<void>;
}

/** Connecting accounts in a browser, for the web server. */
export function connectOptions({ foundation, redis, vault, onRequest, onUsable }: ConsentParts): ConnectOptions {
  const { config, keys, sealer, connectLinks, onClose } = foundation;
  const { apiBaseUrl, clientKey, clientSecret } = config.tiktok;
  const tiktok = createTikTokClient({ apiBaseUrl, ...(onRequest !== undefined && { onRequest }) });
  onClose(() => tiktok.close());
  const flow = createConnectFlow({
    ...{ redis, keys, sealer, vault, clientKey, clientSecret },
    tiktok: {
      consentUrl: (question) => consentUrl(apiBaseUrl, question),
      exchangeCode: (request) => tiktok.exchangeCode(request),
    },
    onConnected: onUsable,
  });
  return {
    ...flow,
    isValidLink: (link) => connectLinks.isValid(link, Date.now()),
    publicBaseUrl: config.http.publicBaseUrl,
    stateLifetimeMs: CONSENT_TIMEOUT_MS,
  };
}
