import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Sealer } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';

const FORMAT = 'v1';
const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
/** The nonce length GCM is made for (NIST SP 800-38D, 8.2.1); random ones are safe for 2^32 values per key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_CHARS = 8;

/** A sealer whose key can be rotated: the newest key seals, older ones still open. */
export interface RotatingSealer extends Sealer {
  /** Whether a value was sealed with another key than the one that seals now. */
  needsReseal(sealed: string): boolean;
}

/**
 * Seals secrets with AES-256-GCM as `v1.<key id>.<nonce>.<ciphertext and tag>`, bound to their context as additional
 * authenticated data: a value copied to another account or field does not open there.
 *
 * @param keys 32 bytes each; the first seals, all open
 * @throws PublishError `CONFIG_INVALID` without a key or with one of another length
 */
export function createSealer(keys: readonly Buffer[]): RotatingSealer {
  const [sealingKey] = keys;
  if (sealingKey === undefined || keys.some((key) => key.length !== KEY_BYTES)) {
    throw new PublishError('CONFIG_INVALID', { reason: `ENCRYPTION_KEYS: expected keys of ${KEY_BYTES} bytes each` });
  }
  const keysById = new Map(keys.map((key) => [keyIdOf(key), key]));
  const sealingKeyId = keyIdOf(sealingKey);

  return {
    seal(plaintext, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, sealingKey, nonce, { authTagLength: TAG_BYTES }).setAAD(
        Buffer.from(context),
      );
      const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return [FORMAT, sealingKeyId, nonce.toString('base64url'), ciphertext.toString('base64url')].join('.');
    },

    open(sealed, context) {
      const { keyId, nonce, ciphertext, tag } = parseSealed(sealed, context);
      const key = keysById.get(keyId);
      if (key === undefined) {
        throw new PublishError('CONFIG_KEY_UNKNOWN', {
          reason: `ENCRYPTION_KEYS does not contain key ${keyId}, which encrypted ${context}`,
        });
      }
      const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(context))
        .setAuthTag(tag);
      try {
        return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
      } catch {
        throw tampered(context);
      }
    },

    needsReseal: (sealed) => sealed.split('.')[1] !== sealingKeyId,
  };
}

function keyIdOf(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, KEY_ID_CHARS);
}

function parseSealed(sealed: string, context: string) {
  const [format, keyId, nonceText, bodyText, ...rest] = sealed.split('.');
  if (
    format !== FORMAT ||
    keyId === undefined ||
    nonceText === undefined ||
    bodyText === undefined ||
    rest.length > 0
  ) {
    throw tampered(context);
  }
  const nonce = Buffer.from(nonceText, 'base64url');
  const body = Buffer.from(bodyText, 'base64url');
  if (nonce.length !== NONCE_BYTES || body.length < TAG_BYTES) throw tampered(context);
  return {
    keyId,
    nonce,
    ciphertext: body.subarray(0, body.length - TAG_BYTES),
    tag: body.subarray(body.length - TAG_BYTES),
  };
}

function tampered(context: string): PublishError {
  return new PublishError('INTERNAL_TAMPERED', {
    reason: `the encrypted value of ${context} was changed after it was stored`,
  });
}
