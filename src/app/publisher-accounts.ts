import { encryptionKeysOf } from '../config/development-key.ts';
import type { Clock } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { watchOldForm } from '../sealing/published-key.ts';
import { createSealer } from '../sealing/sealer.ts';
import { createTikTokClient } from '../tiktok/index.ts';
import { openAccountParts, type PublisherAccounts } from './account-parts.ts';
import type { PublisherConfig } from './publisher-config.ts';
import type { RedisAccess } from './redis-access.ts';
import type { RedisParts } from './redis-parts.ts';

const KEYS_MISSING = {
  variable: 'ENCRYPTION_KEYS',
  message: 'is required for accounts, which are encrypted with it; set the same keys as in the workers',
};

/** Whether the settings name the keys that accounts are sealed with; a Redis of our own has them beside it. */
export function hasAccountKeys({ encryptionKeys, redis, tiktok }: PublisherConfig): boolean {
  return tiktok !== undefined && (encryptionKeys !== undefined || redis.kind === 'embedded');
}

/**
 * Opens the vault and the way to TikTok for the calls about accounts, and `publisher.preflight`. Loaded when one of them is
 * called first: producers that only enqueue load no code for accounts and TikTok, and need no keys.
 * @throws PublishError `CONFIG_INVALID` when the settings name no keys
 */
export async function openPublisherAccounts(
  config: PublisherConfig,
  access: RedisAccess,
  parts: RedisParts & { readonly clock: Clock },
): Promise<PublisherAccounts> {
  const { dataDir, encryptionKeys, tiktok: settings } = config;
  if (settings === undefined || !hasAccountKeys(config)) {
    const { variable: path, message } = KEYS_MISSING;
    throw new PublishError('CONFIG_INVALID', { problems: [{ path, message }] });
  }
  const sealer = createSealer(
    await encryptionKeysOf({ encryptionKeys, dataDir }),
    watchOldForm(access.anyClient, access.keys),
  );
  const { apiBaseUrl, clientKey, clientSecret } = settings;
  const tiktok = createTikTokClient({ apiBaseUrl, proxy: config.proxy });
  access.onClose(() => tiktok.close());
  const { clock } = parts;
  return openAccountParts(access, parts, {
    ...{ sealer, clock, clientKey, clientSecret, tiktok, log: undefined, onRefresh: undefined },
    linkSettings: () => config.http ?? { publicBaseUrl: undefined, returnOrigins: [] },
  });
}
