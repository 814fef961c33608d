import { mayTouch, READ } from '../../core/access.ts';
import { jobNotFound, PublishError, toInputProblems } from '../../core/publish-error.ts';
import type { BoardJobs } from '../board-jobs.ts';
import { jobQueryString } from '../v1/job-query-string.ts';
import { OPERATE } from './console-page.ts';
import { type ConsoleParts, type ConsoleRoutes, idIn } from './console-routes.ts';
import { type EntryLink, PUBLISH_PAGES_PATH, publishPage, publishPagePath } from './publish-page.ts';
import { publishesPage } from './publishes-page.ts';
import { type GivenQuery, givenQuery } from './search-address.ts';

interface PublishRoutesOptions {
  readonly jobs: Pick<BoardJobs, 'find' | 'plansOf'>;
  readonly entriesOf: (id: string) => Promise<readonly EntryLink[]>;
  /** Without it, no deliveries of events are shown. */
  readonly callbacks: Pick<ConsoleParts['callbacks'], 'ofJob'> | undefined;
}

/** Adds the page of each publish job. */
export function addPublishPage({ page }: ConsoleRoutes, { jobs, entriesOf, callbacks }: PublishRoutesOptions): void {
  page(`${PUBLISH_PAGES_PATH}/:id`, READ, async (request, context) => {
    const id = idIn(request);
    const [[job], entries, plans] = await Promise.all([jobs.find([id]), entriesOf(id), jobs.plansOf(id)]);
    const { caller } = request;
    if (job === undefined || caller === undefined || !mayTouch(caller, job.account)) throw jobNotFound(id);
    const { attempts } = (await callbacks?.ofJob(id)) ?? { attempts: [] };
    return publishPage(job, { entries, plans, attempts }, context);
  });
}

/** Adds the search, and what operators may do with a job. */
export function addPublishes({ page, action }: ConsoleRoutes, { metadataKeys }: ConsoleParts): void {
  page(PUBLISH_PAGES_PATH, READ, async ({ query, publisher }, context) => {
    const given = givenQuery(query);
    return publishesPage({ given, metadataKeys, now: Date.now(), ...(await search(publisher, given)) }, context);
  });
  action(`${PUBLISH_PAGES_PATH}/:id/retry`, OPERATE, async (_form, request) => {
    const { id } = await request.publisher.retry(idIn(request));
    return { path: publishPagePath(id), done: 'retried' };
  });
  action(`${PUBLISH_PAGES_PATH}/:id/cancel`, OPERATE, async (_form, request) => {
    const { id } = await request.publisher.cancel(idIn(request));
    return { path: publishPagePath(id), done: 'cancelled' };
  });
}

async function search(publisher: ConsoleParts['publisher'], given: GivenQuery) {
  const { success, data, error } = jobQueryString.safeParse(given);
  if (!success) return { found: undefined, problems: textsOf(toInputProblems(error.issues, 'search')) };
  try {
    return { found: await publisher.list(data), problems: [] };
  } catch (error) {
    if (!(error instanceof PublishError) || error.code !== 'INPUT_INVALID') throw error;
    return { found: undefined, problems: textsOf(error.details.problems ?? []) };
  }
}

function textsOf(problems: readonly { readonly path: string; readonly message: string }[]): string[] {
  return problems.map(({ path, message }) => `${path}: ${message}`);
}
