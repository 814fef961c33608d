import { STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RouteAccess } from '../../core/access.ts';
import type { AccountJobs, AccountUse } from '../../core/account-use.ts';
import { type InputProblem, PublishError } from '../../core/publish-error.ts';
import { redisTroubleOf } from '../../core/redis-trouble.ts';
import { PAGE_HEADERS } from '../html-page.ts';
import { HttpProblem, problemOf, sendProblem, UNFORESEEN, wantsPage } from '../problem.ts';
import type { ApiOptions } from '../v1/typed-routes.ts';
import { type ConsolePage, type PageContext, sendConsolePage, shown } from './console-page.ts';
import { pauseBanner } from './pause-banner.ts';
import { givenQuery } from './search-address.ts';
import type { SeenFailures } from './seen-failures.ts';

/** What the console shows and changes; each request gets publisher and deliveries in the name of who is signed in. */
export interface ConsoleParts
  extends Pick<ApiOptions, 'apiKeys' | 'audit' | 'callbacks' | 'keys' | 'publisher' | 'statistics' | 'subscriptions'> {
  /** How much an account has used of TikTok's limits, and how many of its jobs are in line. */
  readonly accountUse: (account: string) => Promise<AccountUse>;
  /** Which failures an operator has seen. */
  readonly seenFailures: SeenFailures;
  /** How the jobs of an account stand. */
  readonly accountJobs: (account: string) => Promise<AccountJobs>;
  /** Keys of metadata by which jobs are found. */
  readonly metadataKeys: readonly string[];
  /** What all who look at the console must know; undefined: nothing. */
  readonly warning?: string | undefined;
}

/** A form that was sent. */
export type Form = Pick<URLSearchParams, 'get' | 'getAll' | 'entries'>;

/** What an action answers: where to go, with the name of what was done, or a page to be shown once. */
type ActionOutcome = { readonly path: string; readonly done: string } | ConsolePage;

/** Adds the routes of pages and actions, whatever they are. */
export interface ConsoleRoutes {
  /** A page may also be a whole document that is not of the console. */
  page(
    path: string,
    needs: RouteAccess,
    show: (request: FastifyRequest, context: PageContext) => Promise<ConsolePage | string>,
  ): void;
  action(path: string, needs: RouteAccess, act: (form: Form, request: FastifyRequest) => Promise<ActionOutcome>): void;
}

const MAX_FORM_BYTES = 100_000;
/** The status by which a browser gets a page after a form. */
const SEE_OTHER = 303;

/**
 * Lets a scope that is behind the operators' guard have pages and the forms on them.
 * @param scope a Fastify scope of its own
 */
export function consoleRoutes(scope: FastifyInstance, basePath: string): ConsoleRoutes {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
  scope.setErrorHandler(async (error, request, reply) => {
    const problem = problemOf(redisTroubleOf(error) ?? error);
    if (problem === UNFORESEEN) request.log.error({ err: error }, 'console request failed');
    const isForPerson = request.caller !== undefined && (request.method === 'POST' || wantsPage(request));
    return isForPerson
      ? await sendConsolePage(reply, refusedPage(request, error, problem), await contextOf(request, basePath))
      : await sendProblem(reply, problem);
  });
  return {
    page: (path, needs, show) => {
      scope.get(path, { config: { needs } }, async (request, reply) => {
        const tidy = tidyQuery(request.query);
        if (tidy !== undefined) return seeOther(reply, `${basePath}${pathOf(request)}?${tidy}`);
        const context = await contextOf(request, basePath);
        const page = await show(request, context);
        return typeof page === 'string'
          ? reply.headers(PAGE_HEADERS).send(page)
          : sendConsolePage(reply, page, context);
      });
    },
    action: (path, needs, act) => {
      scope.post(path, { config: { needs } }, async (request, reply) => {
        const outcome = await act(formOf(request), request);
        if (!('done' in outcome)) return sendConsolePage(reply, outcome, await contextOf(request, basePath));
        return seeOther(reply, `${basePath}${outcome.path}?${new URLSearchParams({ done: outcome.done })}`);
      });
    },
  };
}

/** @throws HttpProblem for a field that is empty */
export function required(form: Form, name: string): string {
  return textIn(form, name) ?? refuse(`Fill in the field "${name}".`);
}

/** The text of a field; undefined: empty. */
export function textIn(form: Form, name: string): string | undefined {
  return form.get(name) || undefined;
}

/** What was ticked. @throws HttpProblem for what is no option */
export function chosenIn<Option extends string>(form: Form, name: string, options: readonly Option[]): Option[] {
  return form.getAll(name).map((text) => {
    const chosen = options.find((option) => option === text);
    return chosen ?? refuse(`The field "${name}" has an option that does not exist. Open the page again.`);
  });
}

function refuse(detail: string): never {
  throw new HttpProblem({ status: 400, code: 'REQUEST_INVALID', detail });
}

/** Several values in one field, separated by commas; undefined: none. */
export function listIn(form: Form, name: string): string[] | undefined {
  const values = (form.get(name) ?? '').split(',').map((each) => each.trim());
  const given = values.filter((each) => each !== '');
  return given.length === 0 ? undefined : given;
}

/** The `:id` of a path. */
export function idIn({ params }: Pick<FastifyRequest, 'params'>): string {
  return String(Object(params).id);
}

/** The form that a request brought. */
export function formOf({ body }: FastifyRequest): Form {
  return body instanceof URLSearchParams ? body : new URLSearchParams();
}

async function contextOf(request: FastifyRequest, basePath: string): Promise<PageContext> {
  const { done } = Object(request.query);
  // A page that says that something is amiss says so without it, too.
  const pause = (await request.publisher?.paused().catch(() => null)) ?? null;
  const context = {
    ...{ basePath, pause, caller: request.caller, hasSession: request.session?.proof !== undefined },
    done: typeof done === 'string' ? done : undefined,
  };
  return { ...context, banner: pauseBanner(pause, context) };
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1).join('');
}

/**
 * The query that a browser's form should have sent: without what was left empty, several values as one, times in UTC. So an
 * address that is copied is a search of the API, too.
 * @returns undefined where it is that already
 */
function tidyQuery(query: unknown): URLSearchParams | undefined {
  const { done, ...asked } = Object(query) as Record<string, unknown>;
  const given = givenQuery(asked);
  const isTidy = Object.entries(asked).every(([name, value]) => given[name] === value);
  return isTidy ? undefined : new URLSearchParams({ ...given, ...(typeof done === 'string' && { done }) });
}

/** Leads a browser to another page. */
export function seeOther(reply: FastifyReply, path: string): FastifyReply {
  return reply.redirect(path, SEE_OTHER);
}

/** An action that was not carried out, or a page that can't be shown; operators may read the names of settings. */
function refusedPage(
  { method }: Pick<FastifyRequest, 'method'>,
  error: unknown,
  { status, code, detail }: ReturnType<typeof problemOf>,
): ConsolePage {
  const problems = problemsIn(error);
  const items = problems.map(({ path, message }) => `<li>${shown(`${path}: ${message}`)}</li>`);
  return {
    status,
    title: method === 'POST' ? 'Not done' : (STATUS_CODES[status] ?? 'Not shown'),
    body: `<p class="refused" role="alert">${shown(detail)}</p>
${items.length === 0 ? '' : `<ul>${items.join('')}</ul>`}
${method === 'POST' || items.length > 0 ? '<p>Go back in the browser to change what you entered.</p>' : ''}
<p><small>Code <code>${shown(code)}</code></small></p>`,
  };
}

/** What is wrong with what was entered. */
function problemsIn(error: unknown): readonly InputProblem[] {
  return error instanceof PublishError ? (error.details.problems ?? []) : [];
}
