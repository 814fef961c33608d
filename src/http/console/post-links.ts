import type { PublishJob } from '../../core/publish-job.ts';
import { escapeHtml } from '../escape-html.ts';
import { postName } from '../job-words.ts';
import { publishPagePath } from '../publish-page.ts';
import { shown } from './console-page.ts';

type NamedJob = Pick<PublishJob, 'id' | 'request'>;

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
  const links = jobs.flatMap((job) => {
    if (job === undefined) return [];
    const path = escapeHtml(basePath + publishPagePath(job.id));
    return [[job.id, `<a href="${path}">${shown(postName(job))}</a>`] as const];
  });
  const byId = new Map(links);
  return (id) => byId.get(id) ?? shown(id);
}
