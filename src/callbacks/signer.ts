import { Webhook } from 'standardwebhooks';
import { SECOND_MS } from '../core/units.ts';

/** Signs deliveries. */
export interface CallbackSigner {
  /** The headers that let a receiver check who sent a body, and when. */
  sign(id: string, body: string, now: number): Record<string, string>;
}

/**
 * Signs after the Standard Webhooks specification, with every secret, so that receivers can change from one to the next.
 * @param secrets `whsec_` and base64, the newest first
 */
export function createCallbackSigner(secrets: readonly string[]): CallbackSigner {
  const webhooks = secrets.map((secret) => new Webhook(secret));
  return {
    sign: (id, body, now) => ({
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now / SECOND_MS)),
      'webhook-signature': webhooks.map((webhook) => webhook.sign(id, new Date(now), body)).join(' '),
    }),
  };
}
