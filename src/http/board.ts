import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { type BoardLogin, createOperatorGuard } from './operator-guard.ts';

export const BOARD_PATH = '/board';

export interface BoardOptions {
  readonly queues: readonly Queue[];
  /** Without one the board is served to this machine only. */
  readonly login?: BoardLogin | undefined;
  /** The host the server listens on. */
  readonly host: string;
}

const REFUSAL = {
  code: 'BOARD_NEEDS_LOGIN',
  detail:
    'The board shows every job. Without BOARD_USER and BOARD_PASSWORD it is served on this machine only, under localhost and 127.0.0.1.',
};

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
    const { login, host } = options;
    scope.addHook('onRequest', await createOperatorGuard(scope, { login, host, refusal: REFUSAL }));
    await scope.register(adapter.registerPlugin(), { prefix: BOARD_PATH });
  });
}
