import { z } from 'zod';
import { parseStored } from '../core/parse-stored.ts';
import { PublishError } from '../core/publish-error.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { thumbprintOf } from './jwe.ts';

const jwkSchema = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  kid: z.string(),
  x: z.string().length(43),
  y: z.string().length(43),
});

/** The public halves of the newest key, for producers of this version and of versions before 0.2.0. */
export interface PublicKeys {
  readonly jwk: z.infer<typeof jwkSchema>;
  /** X25519: 32 bytes, base64url. */
  readonly before02: string;
}

/** What a producer seals to; a text where a service of a version before 0.2.0 may open it. */
export type SealingKey = PublicKeys['jwk'] | string;

const BEFORE_0_2_FORM = /^[\w-]{43}$/;

/**
 * Publishes the key that producers seal request secrets to. The key of the old form is only renewed: it is in Redis if
 * a service of a version before 0.2.0 has run, until `accounts rekey`.
 */
export async function publishSealingKey(redis: RedisClient, keys: Keys, { jwk, before02 }: PublicKeys): Promise<void> {
  await redis.set(keys.sealingKey, JSON.stringify(jwk));
  await redis.set(keys.sealingKeyBefore02, before02, 'XX');
}

/** Publishes it again if Redis has lost it. */
export async function restoreSealingKey(redis: RedisClient, keys: Keys, { jwk }: PublicKeys): Promise<void> {
  await redis.set(keys.sealingKey, JSON.stringify(jwk), 'NX');
}

/**
 * Whether values must be sealed as versions before 0.2.0 read them, since one of their services may still run here: each
 * publishes its key at its start and again at each sweep.
 */
export async function isOldFormInUse(redis: RedisClient, keys: Keys): Promise<boolean> {
  return (await redis.exists(keys.sealingKeyBefore02)) === 1;
}

/** The same for those who seal often: once the old form has ended, it does not come back. */
export function watchOldForm(redisOf: () => RedisClient | undefined, keys: Keys): () => Promise<boolean> {
  let hasEnded = false;
  return async () => {
    const redis = redisOf();
    if (redis !== undefined) hasEnded ||= !(await isOldFormInUse(redis, keys));
    return redis !== undefined && !hasEnded;
  };
}

/** From here on values are sealed in the present form alone. */
export async function endOldForm(redis: RedisClient, keys: Keys, { jwk }: PublicKeys): Promise<void> {
  // First, so that producers always find a key.
  await redis.set(keys.sealingKey, JSON.stringify(jwk));
  await redis.del(keys.sealingKeyBefore02);
}

/**
 * The public key that services have published on this Redis. Whoever can write there could put his own in its place.
 * @param pins thumbprints of the only keys that are trusted, all of the present form; undefined: each is
 * @throws PublishError `CONFIG_SEALING_KEY_MISSING` when none has run here yet, `CONFIG_INVALID` when it is damaged or not trusted
 */
export async function publishedSealingKey(
  redis: RedisClient,
  keys: Keys,
  pins: readonly string[] | undefined,
): Promise<SealingKey> {
  const [before02, jwk] = await Promise.all([redis.get(keys.sealingKeyBefore02), redis.get(keys.sealingKey)]);
  if (pins === undefined && before02 !== null) return BEFORE_0_2_FORM.test(before02) ? before02 : damaged();
  if (jwk === null) throw new PublishError('CONFIG_SEALING_KEY_MISSING');
  const key = parseKey(jwk) ?? damaged();
  if (pins === undefined) return key;
  const thumbprint = await thumbprintOf(key);
  if (pins.includes(thumbprint)) return key;
  const message = `does not list the public key in Redis, ${thumbprint}. If the service has a new key, add what its \`doctor\` prints; if not, somebody has changed Redis`;
  throw new PublishError('CONFIG_INVALID', { problems: [{ path: 'SEALING_KEY_PINS', message }] });
}

/** The key that is published, for `doctor`; undefined where there is none, or none that can be read. */
export async function readPublishedKey(redis: RedisClient, keys: Keys): Promise<PublicKeys['jwk'] | undefined> {
  const jwk = await redis.get(keys.sealingKey);
  return jwk === null ? undefined : parseKey(jwk);
}

function parseKey(stored: string): PublicKeys['jwk'] | undefined {
  return parseStored(jwkSchema, stored);
}

function damaged(): never {
  throw new PublishError('CONFIG_INVALID', {
    reason: 'the public key for encrypting request secrets is damaged',
  });
}
