import type { PublishJob } from '../../core/publish-job.ts';
import { escapeHtml } from '../escape-html.ts';
import { postName } from '../job-words.ts';
import { shown } from './console-page.ts';
import { publishPagePath } from './publish-page.ts';

type NamedJob = Pick<PublishJob, 'id' | 'request'>;

/** A link to the page of a job, as HTML. */
export function jobLink(id: string, name: string, basePath: string): string {
  return `<a href="${escapeHtml(basePath + publishPagePath(id))}">${shown(name)}</a>`;
}

/**
 * Links to the pages of jobs, by what people know their posts by, as HTML.
 * @returns of each id its link, or the id itself where no job has it (any more)
 */
export async function postLinks(
  ids: readonly string[],
  basePath: string,
  find: (ids: readonly string[]) => Promise<(NamedJob | undefined)[]>,
): Promise<(id: string) => string> {
  const jobs = await find([...new Set(ids)]);
  const byId = new Map(jobs.map((job) => [job?.id, job && jobLink(job.id, postName(job), basePath)]));
  return (id) => byId.get(id) ?? shown(id);
}
