import { hkdfSync } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { SECOND_MS } from '../core/units.ts';

const SECRET_PREFIX = 'whsec_';
const SECRET_BYTES = 32;
/** Sets these secrets apart from all else that is derived from the same keys. */
const PURPOSE = 'tiktok-publisher callbacks v1';

export type CallbackSigner = ReturnType<typeof createCallbackSigner>;

/**
 * Signs after the Standard Webhooks specification, with every secret, so that receivers can change from one to the next.
 * @param secrets `whsec_` and base64, the newest first
 */
export function createCallbackSigner(secrets: readonly string[]) {
  const webhooks = secrets.map((secret) => new Webhook(secret));
  return {
    /** The headers that let a receiver check who sent a body, and when. */
    sign: (id: string, body: string, now: number): Record<string, string> => ({
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now / SECOND_MS)),
      'webhook-signature': webhooks.map((webhook) => webhook.sign(id, new Date(now), body)).join(' '),
    }),
  };
}

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
