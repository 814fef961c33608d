import type { App } from '../../app/open-app.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { thumbprintOf } from '../../sealing/jwe.ts';
import { readPublishedKey } from '../../sealing/published-key.ts';
import { createRequestSecrets } from '../../sealing/request-box.ts';
import type { Finding } from './finding.ts';

/** Whether apps seal the secrets of their requests to a key of ours. */
export async function sealingFindings(
  redis: RedisClient,
  { keys, config, requestSecrets }: Pick<App, 'keys' | 'config' | 'requestSecrets'>,
): Promise<Finding[]> {
  const published = await readPublishedKey(redis, keys);
  if (published === undefined) return [];
  const own = [requestSecrets, ...(config.encryptionKeys ?? []).map((key) => createRequestSecrets([key]))];
  const thumbprint = await thumbprintOf(published);
  const isOwn = own.some(({ publicKeys: { jwk } }) => jwk.x === published.x && jwk.y === published.y);
  if (isOwn) {
    const message = `apps without ENCRYPTION_KEYS encrypt secrets in requests to the key ${thumbprint}, which SEALING_KEY_PINS can name`;
    return [{ check: 'settings', level: 'ok', message }];
  }
  const message = `the public key in Redis, ${thumbprint}, is not of ENCRYPTION_KEYS: who put it there can read the secrets in requests of apps`;
  const fix =
    'If ENCRYPTION_KEYS is that of the services, restart one: it publishes its key. Then find out who writes to this Redis.';
  return [{ check: 'settings', level: 'problem', message, fix }];
}
