import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { RedisTarget, RedisTlsFiles } from '../config/redis-config.ts';
import { PublishError } from '../core/publish-error.ts';

/** How to encrypt connections to a target; undefined where they are not. Files are read now, so renewed ones are used. */
export function tlsOptions(target: RedisTarget): ConnectionOptions | undefined {
  const isEncrypted = target.kind === 'url' ? new URL(target.url).protocol === 'rediss:' : target.login.tls;
  if (!isEncrypted) return undefined;
  const { caFile, certFile, keyFile, insecure = false }: RedisTlsFiles = target.tls ?? {};
  return {
    ...(caFile !== undefined && { ca: read('REDIS_TLS_CA_FILE', caFile) }),
    ...(certFile !== undefined && { cert: read('REDIS_TLS_CERT_FILE', certFile) }),
    ...(keyFile !== undefined && { key: read('REDIS_TLS_KEY_FILE', keyFile) }),
    ...(insecure && { rejectUnauthorized: false }),
  };
}

/** Whether a target is encrypted, but nothing proves that it is the right server. */
export function trustsAnybody(target: RedisTarget): boolean {
  return tlsOptions(target)?.rejectUnauthorized === false;
}

function read(variable: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    const message = `names ${path}, which cannot be read (${why}); correct the path, or let this user read the file`;
    throw new PublishError('CONFIG_INVALID', {
      reason: 'the settings are not valid:',
      problems: [{ path: variable, message }],
    });
  }
}
