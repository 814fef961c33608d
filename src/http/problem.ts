import { STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from 'pino';

/** What a problem document says beside its status. */
export interface Problem {
  readonly status: number;
  /** Stable name for programs. */
  readonly code: string;
  /** What is wrong and how to fix it, for people. */
  readonly detail: string;
}

const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';
const HTTP_INTERNAL_ERROR = 500;

/** Answers with an RFC 9457 problem document. */
export function sendProblem(reply: FastifyReply, { status, code, detail }: Problem): FastifyReply {
  const body = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, code, detail };
  return reply.code(status).header('content-type', PROBLEM_TYPE).send(JSON.stringify(body));
}

/** Makes the server answer unknown paths and unforeseen errors with problem documents; causes go to the log only. */
export function answerWithProblems(server: FastifyInstance, log: Logger): void {
  server.setNotFoundHandler((request, reply) =>
    sendProblem(reply, {
      status: 404,
      code: 'NOT_FOUND',
      detail: `There is nothing at ${request.method} ${pathOf(request.url)}.`,
    }),
  );
  server.setErrorHandler((error, request, reply) => {
    const status = statusOf(error);
    if (status < HTTP_INTERNAL_ERROR) {
      const detail = error instanceof Error ? error.message : 'The request is not valid.';
      return sendProblem(reply, { status, code: 'REQUEST_INVALID', detail });
    }
    log.error({ err: error, method: request.method, path: pathOf(request.url) }, 'request failed');
    const detail = 'Something this program did not foresee went wrong; its log holds the cause.';
    return sendProblem(reply, { status, code: 'INTERNAL_ERROR', detail });
  });
}

/** Answers an address that the router cannot read; the router's own words would repeat it with its query. */
export function answerUnreadableAddress(_error: unknown, _request: unknown, reply: FastifyReply): void {
  sendProblem(reply, { status: 400, code: 'REQUEST_INVALID', detail: 'The address is not a valid one.' });
}

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return HTTP_INTERNAL_ERROR;
  return typeof error.statusCode === 'number' && error.statusCode >= 400 ? error.statusCode : HTTP_INTERNAL_ERROR;
}

/** Without the query, which may carry secrets such as an OAuth code. */
function pathOf(url: string): string {
  return url.split('?', 1).join('');
}
