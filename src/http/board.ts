import { createHash, timingSafeEqual } from 'node:crypto';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import basicAuth from '@fastify/basic-auth';
import type { Queue } from 'bullmq';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isLoopbackHost } from '../core/loopback-host.ts';
import { isLoopbackHostHeader } from './loopback.ts';
import { sendProblem } from './problem.ts';

export const BOARD_PATH = '/board';

/** Name and password that the board asks for. */
export interface BoardLogin {
  readonly user: string;
  readonly password: string;
}

export interface BoardOptions {
  readonly queues: readonly Queue[];
  /** Without one the board is served to this machine only. */
  readonly login?: BoardLogin | undefined;
  /** The host the server listens on. */
  readonly host: string;
}

/** Adds Bull Board under `/board`. */
export async function registerBoard(server: FastifyInstance, options: BoardOptions): Promise<void> {
  const adapter = new FastifyAdapter().setBasePath(BOARD_PATH);
  createBullBoard({
    // Read-only: removing or re-running a queue's job behind the ledger's back could lose or double a post.
    queues: options.queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: 'tiktok-publisher',
        hideDocsLink: true,
        miscLinks: [{ text: 'Metrics', url: '/metrics' }],
      },
    },
  });
  await server.register(async (scope) => {
    await guard(scope, options);
    await scope.register(adapter.registerPlugin(), { prefix: BOARD_PATH });
  });
}

async function guard(scope: FastifyInstance, { login, host }: BoardOptions): Promise<void> {
  if (login === undefined) {
    scope.addHook('onRequest', async (request, reply) => refuseStrangers(request, reply, host));
    return;
  }
  await scope.register(basicAuth, {
    authenticate: { realm: 'tiktok-publisher board' },
    strictCredentials: true,
    validate: async (user, password) => {
      // Digests have one length, so that the comparison takes the same time whatever was sent.
      const isRight = [isSameText(user, login.user), isSameText(password, login.password)].every(Boolean);
      if (!isRight) throw new Error('wrong user or password');
    },
  });
  scope.addHook('onRequest', scope.basicAuth);
}

function isSameText(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

async function refuseStrangers(request: FastifyRequest, reply: FastifyReply, host: string): Promise<void> {
  if (!isLoopbackHost(host)) {
    const detail = 'The board shows every job. Set BOARD_USER and BOARD_PASSWORD to serve it beyond this machine.';
    await sendProblem(reply, { status: 403, code: 'BOARD_NEEDS_LOGIN', detail });
  } else if (!isLoopbackHostHeader(request.headers.host)) {
    const detail = 'Without BOARD_USER and BOARD_PASSWORD the board is served under localhost and 127.0.0.1 only.';
    await sendProblem(reply, { status: 403, code: 'BOARD_NEEDS_LOGIN', detail });
  }
}
