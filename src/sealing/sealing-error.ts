import { createHash } from 'node:crypto';
import { PublishError } from '../core/publish-error.ts';

const KEY_ID_CHARS = 8;

/** What a sealed value names the key by that opens it. */
export function keyIdOf(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, KEY_ID_CHARS);
}

/** The error for a value that none of our keys has sealed. */
export function keyUnknown(keyId: string, context: string): PublishError {
  const reason = `ENCRYPTION_KEYS does not contain key ${keyId.slice(0, KEY_ID_CHARS)}, which encrypted ${context}`;
  return new PublishError('CONFIG_KEY_UNKNOWN', { reason });
}

/** The error for a value that was changed, or moved to another record or field. */
export function tampered(context: string): PublishError {
  const reason = `the encrypted value of ${context} was changed after it was stored`;
  return new PublishError('INTERNAL_TAMPERED', { reason });
}
