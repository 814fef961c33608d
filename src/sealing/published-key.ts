import { PublishError } from '../core/publish-error.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

/** Tells producers which key to seal request secrets to. */
export async function publishSealingKey(redis: RedisClient, keys: Keys, publicKey: string): Promise<void> {
  await redis.set(keys.sealingKey, publicKey);
}

/** Tells them again if Redis has lost it. */
export async function restoreSealingKey(redis: RedisClient, keys: Keys, publicKey: string): Promise<void> {
  await redis.set(keys.sealingKey, publicKey, 'NX');
}

/**
 * The public key that a service has published on this Redis.
 * @throws PublishError `CONFIG_SEALING_KEY_MISSING` when none has run here yet
 */
export async function publishedSealingKey(redis: RedisClient, keys: Keys): Promise<string> {
  const publicKey = await redis.get(keys.sealingKey);
  if (publicKey === null) throw new PublishError('CONFIG_SEALING_KEY_MISSING');
  return publicKey;
}
