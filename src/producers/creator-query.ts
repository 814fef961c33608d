import { encryptionKeysOf } from '../config/development-key.ts';
import { PublishError } from '../core/publish-error.ts';
import { type Creators, type OpenCreatorsDeps, openCreators } from '../creators/open-creators.ts';
import { isOldFormInUse } from '../sealing/published-key.ts';
import { createSealer } from '../sealing/sealer.ts';
import type { PublisherConfig } from './create-publisher.ts';

const KEYS_MISSING = {
  variable: 'ENCRYPTION_KEYS',
  message:
    "is required to query creators, because the query needs the accounts' tokens; set the same keys as in the workers",
};

/**
 * Opens the way to TikTok for `publisher.creator`. Loaded when that is called first: producers that only enqueue load
 * no code for accounts and TikTok, and need no keys.
 * @throws PublishError `CONFIG_INVALID` when the settings name no keys
 */
export async function openCreatorQuery(
  config: PublisherConfig,
  deps: Pick<OpenCreatorsDeps, 'redis' | 'keys' | 'confirmation' | 'clock'>,
): Promise<Creators> {
  const { dataDir, encryptionKeys, redis, tiktok } = config;
  if (tiktok === undefined || (encryptionKeys === undefined && redis.kind !== 'embedded')) {
    const { variable: path, message } = KEYS_MISSING;
    throw new PublishError('CONFIG_INVALID', { problems: [{ path, message }] });
  }
  const sealer = createSealer(await encryptionKeysOf({ encryptionKeys, dataDir }), () =>
    isOldFormInUse(deps.redis, deps.keys),
  );
  return openCreators({ ...deps, sealer, tiktok });
}
