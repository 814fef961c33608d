import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { PublishError } from '../core/publish-error.ts';
import { loggedTrouble } from '../core/redis-trouble.ts';
import { codeOf } from '../core/system-error.ts';
import { SECOND_MS } from '../core/units.ts';
import { type Problem, publishProblem } from './publish-problem.ts';

/** A problem document, to be thrown where a route has to stop. */
export class HttpProblem extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'HttpProblem';
    this.problem = problem;
  }
}

/** Media type of problem documents (RFC 9457). */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';
const HTTP_INTERNAL_ERROR = 500;

/** Answers with an RFC 9457 problem document. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, retryAfterMs } = problem;
  if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / SECOND_MS));
  return reply
    .code(status)
    .headers({ 'content-type': `${PROBLEM_MEDIA_TYPE}; charset=utf-8`, 'cache-control': 'no-store' })
    .send(problemText(problem));
}

function problemText({ status, code, detail, problems }: Problem): string {
  const title = STATUS_CODES[status] ?? 'Error';
  return JSON.stringify({ type: 'about:blank', title, status, code, detail, problems });
}

/** What Fastify refuses before a route sees it, in words that repeat nothing of the request. */
const REFUSALS: Readonly<Record<string, Problem>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: 'CONTENT_TYPE_UNSUPPORTED',
    detail: 'Send the body as JSON, with the header "Content-Type: application/json".',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, code: 'BODY_TOO_LARGE', detail: 'The body is too large.' },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    status: 400,
    code: 'BODY_NOT_JSON',
    detail: 'The body is empty. Send JSON, or omit the header Content-Type.',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: { status: 400, code: 'BODY_NOT_JSON', detail: 'The body is not valid JSON.' },
};

/** Makes the server answer unknown paths and unforeseen errors with problem documents; causes go to the log only. */
export function answerWithProblems(server: FastifyInstance, log: Logger): void {
  server.setNotFoundHandler((request, reply) =>
    sendProblem(reply, {
      status: 404,
      code: 'NOT_FOUND',
      detail: `No route matches ${request.method} ${pathOf(request.url)}.`,
    }),
  );
  server.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.status >= HTTP_INTERNAL_ERROR) {
      const facts = { method: request.method, path: pathOf(request.url) };
      const trouble = loggedTrouble(error);
      if ('reason' in trouble) log.warn({ ...facts, ...trouble }, 'request refused');
      else log.error({ err: error, ...facts }, 'request failed');
    }
    return sendProblem(reply, problem);
  });
}

/** Answers an address that the router cannot read; the router's own words would repeat it with its query. */
export function answerUnreadableAddress(_error: unknown, _request: unknown, reply: FastifyReply): void {
  sendProblem(reply, { status: 400, code: 'REQUEST_INVALID', detail: 'The URL is not valid.' });
}

/** Answers what is no HTTP that we read, such as headers that are too large, and hangs up. */
export function answerUnreadableRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = PARSER_REFUSALS[error.code ?? ''] ?? NO_HTTP;
  const body = problemText(problem);
  const lines = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `content-type: ${PROBLEM_MEDIA_TYPE}; charset=utf-8`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

const NO_HTTP: Problem = { status: 400, code: 'REQUEST_INVALID', detail: 'This is not a valid HTTP request.' };
const PARSER_REFUSALS: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: { status: 431, code: 'HEADERS_TOO_LARGE', detail: 'The URL and headers are too large.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'REQUEST_TIMEOUT', detail: 'The request was not received in time.' },
};

/** What is said of an error that nobody foresaw. */
export const UNFORESEEN: Problem = {
  status: HTTP_INTERNAL_ERROR,
  code: 'INTERNAL_ERROR',
  detail: 'An unexpected internal error occurred. See the log for the cause.',
};

/** What an error is to a caller. */
export function problemOf(error: unknown): Problem {
  if (error instanceof PublishError) return publishProblem(error);
  if (error instanceof HttpProblem) return error.problem;
  if (!(error instanceof Error)) return UNFORESEEN;
  const refusal = REFUSALS[codeOf(error) ?? ''];
  if (refusal !== undefined) return refusal;
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined;
  if (status === undefined || status < 400 || status >= HTTP_INTERNAL_ERROR) return UNFORESEEN;
  return { status, code: 'REQUEST_INVALID', detail: error.message };
}

/** Without the query, which may carry secrets such as an OAuth code. */
function pathOf(url: string): string {
  return url.split('?', 1).join('');
}
