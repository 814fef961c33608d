import type { RotatingSealer } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { isSealedBefore02, keyIdBefore02, openBefore02, sealBefore02 } from './before-0-2.ts';
import { keyIdOfJwe, openJwe, sealJwe } from './jwe.ts';
import { keyIdOf, keyUnknown } from './sealing-error.ts';

const KEY_BYTES = 32;

/** Whether a service of a version before 0.2.0 may read what is sealed now; see `isOldFormInUse`. */
export type OldFormInUse = () => Promise<boolean>;

/**
 * Seals secrets with a key of ours, bound to their context: a value copied to another account or field does not open
 * there.
 *
 * @param keys 32 bytes each; the first seals, all open
 * @throws PublishError `CONFIG_INVALID` without a key or with one of another length
 */
export function createSealer(
  keys: readonly Buffer[],
  oldFormInUse: OldFormInUse = () => Promise.resolve(false),
): RotatingSealer {
  const [sealingKey] = keys;
  if (sealingKey === undefined || keys.some((key) => key.length !== KEY_BYTES)) {
    throw new PublishError('CONFIG_INVALID', { reason: `ENCRYPTION_KEYS: expected keys of ${KEY_BYTES} bytes each` });
  }
  const sealingKeyId = keyIdOf(sealingKey);

  return {
    async seal(plaintext, context) {
      if (await oldFormInUse()) return sealBefore02(sealingKey, plaintext, context);
      return await sealJwe(plaintext, context, { alg: 'dir', kid: sealingKeyId, key: sealingKey });
    },

    async open(sealed, context) {
      if (isSealedBefore02(sealed)) return openBefore02(keys, sealed, context);
      return await openJwe(sealed, context, {
        alg: 'dir',
        keyOf(keyId) {
          const key = keys.find((candidate) => keyIdOf(candidate) === keyId);
          if (key === undefined) throw keyUnknown(keyId, context);
          return key;
        },
      });
    },

    async needsReseal(sealed) {
      if (!isSealedBefore02(sealed)) return (await keyIdOfJwe(sealed)) !== sealingKeyId;
      return keyIdBefore02(sealed) !== sealingKeyId || !(await oldFormInUse());
    },
  };
}
