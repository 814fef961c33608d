import type { PublishRequest } from '../core/publish-request.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { isOldFormInUse, publishedSealingKey } from '../sealing/published-key.ts';
import { createRequestSecrets, sealRequest } from '../sealing/request-box.ts';

/** Where the key comes from: from the keys of the service if they are set here, else from what it has published. */
export interface SealingParts {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly encryptionKeys?: readonly Buffer[] | undefined;
  /** Thumbprints of the only published keys that are trusted; undefined: each is. */
  readonly sealingKeyPins?: readonly string[] | undefined;
}

/**
 * The request as it may be stored, its secrets sealed for the workers.
 * @throws PublishError `CONFIG_SEALING_KEY_MISSING`, `CONFIG_INVALID` where the published key is none of the trusted ones
 */
export async function sealSecrets(
  request: PublishRequest,
  jobId: string,
  parts: SealingParts,
): Promise<PublishRequest> {
  const { redis, keys, encryptionKeys, sealingKeyPins } = parts;
  if (encryptionKeys !== undefined) {
    return await createRequestSecrets(encryptionKeys, () => isOldFormInUse(redis, keys)).seal(request, jobId);
  }
  return await sealRequest(request, jobId, await publishedSealingKey(redis, keys, sealingKeyPins));
}
