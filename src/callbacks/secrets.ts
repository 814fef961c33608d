import { hkdfSync } from 'node:crypto';

/** How a secret of Standard Webhooks begins; base64 follows. */
const SECRET_PREFIX = 'whsec_';
const SECRET_BYTES = 32;
/** Sets these secrets apart from all else that is derived from the same keys. */
const PURPOSE = 'tiktok-publisher callbacks v1';

/**
 * The signing secrets of a deployment that sets none: one of each encryption key, in their order, so that a change of
 * the keys is a change of secrets in which the receivers know old and new.
 */
export function deriveCallbackSecrets(encryptionKeys: readonly Buffer[]): string[] {
  return encryptionKeys.map((key) => {
    const secret = Buffer.from(hkdfSync('sha256', key, '', PURPOSE, SECRET_BYTES));
    return `${SECRET_PREFIX}${secret.toString('base64')}`;
  });
}
