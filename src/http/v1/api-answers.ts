import { z } from 'zod';
import { PROBLEM_MEDIA_TYPE } from '../problem.ts';

/** A problem document (RFC 9457). */
const problemSchema = z
  .object({
    type: z.string().describe('Always `about:blank`. Use `code` instead.'),
    title: z.string().describe('Name of the HTTP status.'),
    status: z.int().describe('HTTP status.'),
    code: z.string().describe('Stable error code. Match on it, never on the texts.'),
    detail: z.string().describe('Human-readable text: what is wrong and how to fix it.'),
    problems: z
      .array(
        z.object({
          path: z.string().describe('The field, such as `post.privacyLevel`.'),
          message: z.string().describe('What is wrong with it.'),
        }),
      )
      .optional()
      .describe('Each invalid input field.'),
  })
  .meta({
    id: 'Problem',
    description: 'A problem document (RFC 9457).',
  });

/** An answer in JSON. */
export function jsonAnswer<T extends z.ZodType>(description: string, schema: T) {
  return { description, content: { 'application/json': { schema } } };
}

const MEANINGS = {
  400: '`INPUT_INVALID`: the request is not valid; `problems` lists each field. `BODY_NOT_JSON`, `REQUEST_INVALID`: the request cannot be parsed.',
  401: '`API_KEY_WRONG`: the bearer key is missing or wrong.',
  403: "`API_KEY_FORBIDDEN`: the key lacks the scope, or is limited to some accounts. `API_NEEDS_KEYS`: without API keys the API is available only on the server's own machine.",
  404: '`JOB_NOT_FOUND` or `INPUT_ACCOUNT_UNKNOWN`: the job or account does not exist.',
  409: 'The request conflicts with the current state. `code` says why.',
  410: '`EVENTS_CURSOR_LOST`: events after `Last-Event-ID` were already deleted.',
  413: '`BODY_TOO_LARGE`.',
  415: '`CONTENT_TYPE_UNSUPPORTED`: the body must be JSON.',
  429: '`API_RATE_LIMITED`: too many requests. `Retry-After` says when to try again.',
  502: 'TikTok or the network failed. Try again.',
  503: '`REDIS_UNAVAILABLE`, `REDIS_NOT_REPLICATED`, or a setting is missing: try again after `Retry-After`.',
} as const;

type ProblemStatus = keyof typeof MEANINGS;

const STATUSES: readonly ProblemStatus[] = [400, 401, 403, 404, 409, 410, 413, 415, 429, 502, 503];
const EVERYWHERE: readonly ProblemStatus[] = [400, 401, 403, 429, 503];

interface ProblemAnswer {
  readonly description: string;
  readonly content: { readonly [PROBLEM_MEDIA_TYPE]: { readonly schema: typeof problemSchema } };
}

/**
 * The answers of a route in JSON: what it gives, and its errors.
 * @param own as of {@link problemResponses}
 */
export function jsonAnswers<T extends z.ZodType>(description: string, schema: T, own: OwnProblems = {}) {
  return { 200: jsonAnswer(description, schema), ...problemResponses(own) };
}

/** What a route that takes a body answers besides. */
export const BODY_PROBLEMS = { 413: true, 415: true } as const;
/** What a route that takes a publish request answers besides. */
export const REQUEST_PROBLEMS = {
  ...BODY_PROBLEMS,
  403: '`INPUT_MEDIA_OUTSIDE_ROOTS`: this file cannot be published over REST.',
} as const;

type OwnProblems = Partial<Record<ProblemStatus, string | true>>;

/**
 * The error answers of a route: those that every route has, and its own.
 * @param own more statuses, with what they mean here where that is more than usual
 */
export function problemResponses(own: OwnProblems): Partial<Record<ProblemStatus, ProblemAnswer>> {
  const content = { [PROBLEM_MEDIA_TYPE]: { schema: problemSchema } };
  const answers: Partial<Record<ProblemStatus, ProblemAnswer>> = {};
  for (const status of STATUSES) {
    const meaning = own[status];
    const isEverywhere = EVERYWHERE.includes(status);
    if (meaning === undefined && !isEverywhere) continue;
    const special = typeof meaning === 'string' ? [meaning] : [];
    const general = isEverywhere || meaning === true ? [MEANINGS[status]] : [];
    answers[status] = { description: [...special, ...general].join(' '), content };
  }
  return answers;
}
