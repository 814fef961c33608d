import type { AccountSummary } from '../accounts/account-record.ts';
import { CONSENT_TIMEOUT_MS, createConnectFlow } from '../accounts/connect-flow.ts';
import { noteRemovedAuthorization } from '../accounts/removed-authorization.ts';
import type { AccountVault } from '../accounts/vault.ts';
import type { Foundation } from '../foundation/foundation.ts';
import type { ConnectOptions } from '../http/connect.ts';
import type { ReceiveWebhook } from '../http/webhook.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { consentUrl } from '../tiktok/consent-url.ts';
import { createTikTokClient, type TikTokClientOptions } from '../tiktok/index.ts';
import { isSignedByTikTok, parseWebhook } from '../tiktok/webhook.ts';

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

/** TikTok's reports, for the web server; undefined without the secret that they are signed with. */
export function webhookReceiver({ foundation, vault }: ConsentParts): ReceiveWebhook | undefined {
  const { config, log } = foundation;
  const { clientSecret } = config.tiktok;
  if (clientSecret === undefined) return undefined;
  return async ({ rawBody, signature }) => {
    if (!isSignedByTikTok(signature, rawBody, clientSecret)) return 'refused';
    const webhook = parseWebhook(rawBody);
    if (webhook === undefined) log.warn({ bytes: rawBody.length }, 'webhook not readable');
    else log.debug({ event: webhook.event }, 'webhook received');
    if (webhook?.event === 'authorization.removed') {
      const { openId, createdAt, reason } = webhook;
      const noted = await noteRemovedAuthorization(vault, { openId, removedAt: createdAt, reason });
      log.info({ openId, noted }, 'authorization removed');
    }
    return 'taken';
  };
}
