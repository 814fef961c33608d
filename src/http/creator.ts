import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { CreatorInfo } from '../core/creator-rules.ts';
import { PublishError } from '../core/publish-error.ts';
import { SECOND_MS } from '../core/units.ts';
import { type ApiAccess, createApiGuard } from './api-guard.ts';
import { sendProblem } from './problem.ts';
import { publishProblem } from './publish-problem.ts';

/** Asks TikTok what an account may post just now. @throws PublishError */
export type AskCreator = (account: string) => Promise<CreatorInfo>;

const params = z.object({ account: z.string() });

/** Adds `GET /v1/accounts/:account/creator`, which pages on which people post need each time they are drawn. */
export async function registerCreator(server: FastifyInstance, ask: AskCreator, access: ApiAccess): Promise<void> {
  await server.register(async (scope) => {
    scope.addHook('onRequest', createApiGuard(access));
    scope.get('/v1/accounts/:account/creator', async (request, reply) => {
      const { account } = params.parse(request.params);
      // It may be gone in the next minute, and TikTok wants it fresh.
      reply.header('cache-control', 'no-store');
      try {
        return toAnswer(await ask(account));
      } catch (error) {
        if (!(error instanceof PublishError)) throw error;
        const { retryAfterMs } = error.details;
        if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / SECOND_MS));
        return sendProblem(reply, publishProblem(error));
      }
    });
  });
}

/** With null for what TikTok did not say, so that every field is always there. */
function toAnswer(info: CreatorInfo) {
  return {
    ...info,
    username: info.username ?? null,
    nickname: info.nickname ?? null,
    avatarUrl: info.avatarUrl ?? null,
    maxVideoDurationSeconds: info.maxVideoDurationSeconds ?? null,
  };
}
