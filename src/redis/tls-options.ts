import { readFileSync, statSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { RedisTarget, RedisTlsFiles } from '../config/redis-config.ts';
import { distrustOf, TRUST_FIX } from '../core/file-trust.ts';
import { PublishError } from '../core/publish-error.ts';
import { codeOf } from '../core/system-error.ts';

/** How to encrypt connections to a target; undefined where they are not. Files are read now, so renewed ones are used. */
export function tlsOptions(target: RedisTarget): ConnectionOptions | undefined {
  const isEncrypted = target.kind === 'url' ? new URL(target.url).protocol === 'rediss:' : target.login.tls;
  if (!isEncrypted) return undefined;
  const { caFile, certFile, keyFile, insecure = false }: RedisTlsFiles = target.tls ?? {};
  return {
    ...(caFile !== undefined && { ca: read('REDIS_TLS_CA_FILE', caFile, 'certificate') }),
    ...(certFile !== undefined && { cert: read('REDIS_TLS_CERT_FILE', certFile, 'certificate') }),
    ...(keyFile !== undefined && { key: read('REDIS_TLS_KEY_FILE', keyFile, 'private key') }),
    ...(insecure && { rejectUnauthorized: false }),
  };
}

/** Whether a target is encrypted, but nothing proves that it is the right server. */
export function trustsAnybody(target: RedisTarget): boolean {
  return tlsOptions(target)?.rejectUnauthorized === false;
}

/** @throws PublishError `CONFIG_INVALID`, also for a file that is not PEM: the error of TLS would not say so */
function read(variable: string, path: string, what: 'certificate' | 'private key'): Buffer {
  const content = readOrRefuse(variable, path);
  if (new RegExp(`^-----BEGIN [A-Z0-9 ]*${what.toUpperCase()}-----`, 'm').test(content.toString('latin1')))
    return content;
  throw refused(variable, `is set to ${path}, which contains no ${what} in PEM format; set it to the correct file`);
}

function readOrRefuse(variable: string, path: string): Buffer {
  try {
    const distrust = distrustOf(statSync(path), process.getuid?.());
    if (distrust !== undefined) throw refused(variable, `is set to ${path}, which ${distrust}. ${TRUST_FIX}`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof PublishError) throw error;
    const why = codeOf(error) ?? 'unreadable';
    throw refused(
      variable,
      `is set to ${path}, which cannot be read (${why}); correct the path, or give this user read permission`,
    );
  }
}

function refused(path: string, message: string): PublishError {
  return new PublishError('CONFIG_INVALID', { reason: 'the settings are not valid:', problems: [{ path, message }] });
}
