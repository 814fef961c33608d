import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { isLoopbackHost } from '../core/loopback-host.ts';
import type { ReceiveWebhook } from '../tiktok-webhooks/receive-webhook.ts';
import type { Sessions } from './access/sessions.ts';
import { type BoardLogin, createSignIns } from './access/sign-in.ts';
import { registerBoard } from './board.ts';
import { type ConnectOptions, registerConnect } from './connect.ts';
import type { BoardOptions } from './console/register-pages.ts';
import { type CreateServerOptions, createServer } from './create-server.ts';
import { listen, urlOf, type WebServer } from './listen.ts';
import { sendProblem } from './problem.ts';
import { type PulledMediaOptions, registerPulledMedia } from './pulled-media.ts';
import { registerApi } from './v1/api.ts';
import type { ApiOptions } from './v1/typed-routes.ts';

interface OperatorsOptions {
  /** Without one, this machine is let in. */
  readonly login?: BoardLogin | undefined;
  /** The login of those who may look and change nothing. */
  readonly viewer?: BoardLogin | undefined;
  /** Without, nobody can sign in on a page. */
  readonly sessions?: Sessions | undefined;
}

export interface ServerOptions extends CreateServerOptions {
  readonly board: Omit<BoardOptions, 'basePath'>;
  /** Who may see board and console, and connect accounts without a link. */
  readonly operators?: OperatorsOptions | undefined;
  /** The API under `/v1`; without it there is none. */
  readonly api?: ApiOptions | undefined;
  /** Without it no account can be connected in a browser. */
  readonly connect?: ConnectOptions | undefined;
  /** Gives media of jobs to TikTok; without it there is no `/pull`. */
  readonly pulledMedia?: PulledMediaOptions | undefined;
  /** Without it webhooks are refused. */
  readonly receiveWebhook?: ReceiveWebhook | undefined;
}

const WEBHOOK_PATH = '/webhooks/tiktok';
/** TikTok's reports are a few hundred bytes. */
const MAX_WEBHOOK_BYTES = 100_000;

/**
 * Starts the web server: API, board, console, metrics, health, connecting accounts, TikTok's webhooks and
 * TikTok's downloads. Every group of routes is one `register…` call.
 *
 * @throws PublishError `CONFIG_PORT_TAKEN`, or `CONFIG_INVALID` when the host or port can't be listened on
 */
export async function startServer(options: ServerOptions): Promise<WebServer> {
  const { host, port, board, api, connect, receiveWebhook, pulledMedia, basePath = '' } = options;
  const server = await createServer(options);
  const { login, viewer, sessions } = options.operators ?? {};
  const { apiKeys = [], keys } = board.pages ?? {};
  const secret = sessions?.secrets[0] ?? randomUUID();
  const operators = { login, host, sessions, signIns: createSignIns({ login, viewer, apiKeys, keys, secret }) };
  await registerBoard(server, { ...board, basePath }, operators);
  await registerWebhook(server, receiveWebhook);
  if (pulledMedia !== undefined) registerPulledMedia(server, pulledMedia);
  if (api !== undefined) await registerApi(server, api, { host, basePath });
  const ownUrl = () => urlOf(server, { host, port });
  if (connect !== undefined) {
    const baseUrl = () => connect.publicBaseUrl ?? (isLoopbackHost(host) ? ownUrl() : undefined);
    await registerConnect(server, connect, { operators, baseUrl });
  }
  return await listen(server, { host, port, variables: { host: 'HOST', port: 'PORT' } });
}

/** Adds `POST /webhooks/tiktok`; without a receiver it says what is missing. */
async function registerWebhook(server: FastifyInstance, receive: ReceiveWebhook | undefined): Promise<void> {
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.post(WEBHOOK_PATH, { bodyLimit: MAX_WEBHOOK_BYTES, config: { isPublic: true } }, async (request, reply) => {
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

export type { WebServer } from './listen.ts';
