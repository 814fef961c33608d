import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { ErrorCode } from '../core/error-table.ts';
import { type InputProblem, PublishError } from '../core/publish-error.ts';
import { loggedTrouble, redisRefusalOf } from '../core/redis-trouble.ts';
import { codeOf } from '../core/system-error.ts';
import { SECOND_MS } from '../core/units.ts';
import { escapeHtml } from './escape-html.ts';
import { PAGE_HEADERS, renderPage } from './html-page.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Path below which a proxy serves the server; links of error pages start with it. */
    basePath: string;
  }
}

export interface Problem {
  readonly status: number;
  readonly code: string;
  /** What is wrong and how to fix it, human-readable. */
  readonly detail: string;
  readonly problems?: readonly InputProblem[] | undefined;
  /** When it makes sense to ask again. */
  readonly retryAfterMs?: number | undefined;
}

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

/** Answers with an RFC 9457 problem document, or a browser that goes to an address with a page. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, retryAfterMs } = problem;
  if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / SECOND_MS));
  reply.header('vary', 'Accept');
  if (wantsPage(reply.request)) {
    return reply
      .code(status)
      .headers({ ...PAGE_HEADERS, 'cache-control': 'no-store' })
      .send(problemPage(problem, reply.server.basePath));
  }
  return reply
    .code(status)
    .headers({ 'content-type': `${PROBLEM_MEDIA_TYPE}; charset=utf-8`, 'cache-control': 'no-store' })
    .send(problemText(problem));
}

/** Programs ask for JSON or for anything; only browsers name HTML. */
export function wantsPage({ method, headers }: Pick<FastifyRequest, 'method' | 'headers'>): boolean {
  return (method === 'GET' || method === 'HEAD') && /\btext\/html\b/i.test(headers.accept ?? '');
}

function problemPage({ status, code, detail }: Problem, basePath: string): string {
  return renderPage({
    title: STATUS_CODES[status] ?? 'Error',
    body: `<p>${escapeHtml(detail)}</p>
<p><small>Status ${status}, code <code>${escapeHtml(code)}</code></small></p>
<p><a href="${escapeHtml(basePath)}/">All pages of tiktok-publisher</a></p>`,
  });
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
export function answerWithProblems(server: FastifyInstance, log: Logger, basePath: string): void {
  server.decorate('basePath', basePath);
  server.setNotFoundHandler((request, reply) =>
    sendProblem(reply, {
      status: 404,
      code: 'NOT_FOUND',
      detail: `No route matches ${request.method} ${pathOf(request.url)}.`,
    }),
  );
  server.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    // Of a request whose client has left, that is all there is to say.
    const isGivenUp = error === request.signal.reason;
    if (problem.status >= HTTP_INTERNAL_ERROR && !isGivenUp) {
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
  // A client that does not hang up itself would keep its half of the connection for ever. It gets the time to read.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

const LINGER_MS = SECOND_MS / 2;

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

/** The HTTP status of each code; those that are not here go by their group. */
const BY_CODE: Partial<Record<ErrorCode, number>> = {
  INPUT_ACCOUNT_UNKNOWN: 404,
  INPUT_MEDIA_OUTSIDE_ROOTS: 403,
  JOB_NOT_FOUND: 404,
  OPERATION_NOT_FOUND: 404,
  CALLBACK_NOT_FOUND: 404,
  EVENTS_CURSOR_LOST: 410,
  IDEMPOTENCY_CONFLICT: 409,
  JOB_NOT_CANCELLABLE: 409,
  JOB_NOT_CHANGEABLE: 409,
  JOB_NOT_RETRYABLE: 409,
  OPERATION_LIMIT: 409,
  TIKTOK_RATE_LIMITED: 429,
  INTERNAL_ERROR: 500,
  INTERNAL_TAMPERED: 500,
  INTERNAL_OVERTAKEN: 503,
};
/** When to ask again where the error does not say. */
const RETRY_AFTER_MS = 5 * SECOND_MS;

/** An error of ours as a problem document: the same code, what happened, what to do, and every problem of an input. @internal */
export function publishProblem(error: PublishError): Problem {
  const { code, row, details } = error;
  const status = statusOf(error);
  const isBusy = status === 503 && (row.verdict === 'retry' || row.verdict === 'wait');
  const retryAfterMs = details.retryAfterMs ?? (isBusy || code === 'INTERNAL_OVERTAKEN' ? RETRY_AFTER_MS : undefined);
  return {
    ...{ status, code, retryAfterMs },
    detail: `${sentence(textOf(error))} ${row.advice}`,
    problems: isOurs(code) ? undefined : details.problems,
  };
}

/** For errors that operators must fix, callers get the table's message: the reason may name our hosts and paths. */
function textOf({ code, row, message, cause }: PublishError): string {
  // What Redis itself refuses says nothing of where it is.
  if (code === 'REDIS_UNAVAILABLE' && cause instanceof Error) return redisRefusalOf(cause) ?? row.message;
  return isOurs(code) ? row.message : message.split('\n', 1).join('').trim();
}

function isOurs(code: ErrorCode): boolean {
  return /^(CONFIG|REDIS_UNAVAILABLE|INTERNAL)/.test(code);
}

function statusOf({ code, row }: PublishError): number {
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (code.startsWith('INPUT_')) return 400;
  if (code.startsWith('CONFIG_') || code.startsWith('REDIS_')) return 503;
  // What passes is an error of TikTok or the network; all else is the state of the account.
  return row.verdict === 'retry' ? 502 : 409;
}

function sentence(text: string): string {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?)]$/.test(start) ? start : `${start}.`;
}
