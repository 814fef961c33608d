import type { FastifyInstance } from 'fastify';
import type { ReceiveWebhook } from '../tiktok-webhooks/receive-webhook.ts';
import { sendProblem } from './problem.ts';

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
