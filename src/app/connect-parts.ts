import type { AccountSummary } from '../accounts/account-record.ts';
import { CONSENT_TIMEOUT_MS, createConnectFlow } from '../accounts/connect-flow.ts';
import type { ConnectOptions } from '../http/connect.ts';
import { consentUrl } from '../tiktok/consent-url.ts';
import type { Service } from './open-service.ts';

/**
 * Connecting accounts in a browser, for the web server.
 * @param onConnected told of each account that may publish again
 */
export function connectOptions(
  { app, redis, vault, tiktok }: Pick<Service, 'app' | 'redis' | 'vault' | 'tiktok'>,
  onConnected: (account: AccountSummary) => Promise<void>,
): ConnectOptions {
  const { config, keys, sealer, connectLinks } = app;
  const { apiBaseUrl, clientKey, clientSecret } = config.tiktok;
  const flow = createConnectFlow({
    ...{ redis, keys, sealer, vault, clientKey, clientSecret, onConnected },
    tiktok: {
      consentUrl: (question) => consentUrl(apiBaseUrl, question),
      exchangeCode: (request) => tiktok.exchangeCode(request),
    },
  });
  return {
    ...flow,
    isValidLink: (link) => connectLinks.isValid(link, Date.now()),
    publicBaseUrl: config.http.publicBaseUrl,
    stateLifetimeMs: CONSENT_TIMEOUT_MS,
  };
}
