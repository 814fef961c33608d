import type { FastifyInstance } from 'fastify';
import { sendProblem } from './problem.ts';

/** What TikTok sent. */
export interface WebhookDelivery {
  /** The body byte for byte, since that is what was signed. */
  readonly rawBody: Buffer;
  /** The header `TikTok-Signature`. */
  readonly signature: string | undefined;
}

/**
 * Acts on what TikTok reports; resolves once that is durable. May be called more than once for one report.
 * @returns `refused` if TikTok did not sign it
 */
export type ReceiveWebhook = (delivery: WebhookDelivery) => Promise<'taken' | 'refused'>;

const PATH = '/webhooks/tiktok';
/** TikTok's reports are a few hundred bytes. */
const MAX_BODY_BYTES = 100_000;

/** Adds `POST /webhooks/tiktok`; without a receiver it says what is missing. */
export async function registerWebhook(server: FastifyInstance, receive: ReceiveWebhook | undefined): Promise<void> {
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.post(PATH, { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
      if (receive === undefined) {
        const detail =
          'TIKTOK_CLIENT_SECRET is not set, so the signature of a TikTok webhook cannot be checked. The webhook was rejected.';
        return sendProblem(reply, { status: 503, code: 'WEBHOOK_NOT_CONFIGURED', detail });
      }
      const header = request.headers['tiktok-signature'];
      const signature = Array.isArray(header) ? header[0] : header;
      const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      if ((await receive({ rawBody, signature })) === 'taken') return reply.code(200).send();
      const detail = 'The TikTok-Signature does not match this body and TIKTOK_CLIENT_SECRET.';
      return sendProblem(reply, { status: 401, code: 'WEBHOOK_UNSIGNED', detail });
    });
  });
}
