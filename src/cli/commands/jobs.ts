import { headline } from '../../core/headline.ts';
import { PublishError } from '../../core/publish-error.ts';
import type { RetriedJob } from '../../producers/publisher.ts';
import { type CommandContext, commandName } from '../cli-io.ts';
import type { ExitCode } from '../exit-codes.ts';
import { type FilterOptions, filterOf } from '../filter-options.ts';
import { countsText, jobTable, jobText } from '../job-text.ts';
import { withClient } from '../with-client.ts';

/** `status`: one job with its timeline, by its id or else its idempotency key. */
export async function status(idOrKey: string, { io, output }: CommandContext): Promise<ExitCode> {
  return await withClient({ io, output }, async (app) => {
    const job = (await app.publisher.get(idOrKey)) ?? (await app.publisher.list({ idempotencyKey: idOrKey })).jobs[0];
    if (job === undefined) {
      throw new PublishError('JOB_NOT_FOUND', { reason: `no publish job has the id or idempotency key ${idOrKey}` });
    }
    output.answerProse(job, jobText(job));
  });
}

/** `cancel`: stops a job that cannot have been published yet. */
export async function cancel(id: string, { io, output }: CommandContext): Promise<ExitCode> {
  return await withClient({ io, output }, async (app) => {
    const job = await app.publisher.cancel(id);
    output.answer(
      job,
      job.state === 'cancelled' ? headline(job) : 'TikTok was asked to cancel the post. Watch the job until it ends',
    );
  });
}

const RETRY_TEXTS: Readonly<Record<RetriedJob['action'], string>> = {
  poll: 'The job checks its status at TikTok again.',
  resume: 'The job resumes the upload at the offset that TikTok reports.',
  fresh_init: 'The job starts again with a new upload.',
};

/** `retry`: lets a job that ended without a post go on, in the way that cannot post twice. */
export async function retry(
  id: string,
  { force = false }: { readonly force?: boolean },
  { io, output }: CommandContext,
): Promise<ExitCode> {
  return await withClient({ io, output }, async (app) => {
    const job = await app.publisher.retry(id, { force });
    const next = `to follow it: ${commandName(io)} watch ${id}`;
    output.answer(job, `${RETRY_TEXTS[job.action]}\n${headline(job)}\n${next}`);
  });
}

export interface ListCommandOptions extends FilterOptions {
  readonly oldestFirst?: boolean;
  readonly limit?: number;
  readonly cursor?: string;
}

/** `list`: a page of jobs. */
export async function list(options: ListCommandOptions, { io, output }: CommandContext): Promise<ExitCode> {
  const filter = await filterOf(options, Date.now());
  const { limit, cursor, oldestFirst } = options;
  return await withClient({ io, output }, async (app) => {
    const page = await app.publisher.list({ ...filter, limit, cursor, order: oldestFirst ? 'oldest' : 'newest' });
    output.answer(page, jobTable(page.jobs, Date.now(), io.stdout.columns));
    if (page.indexing) output.note('Workers still index the jobs of an older version: some may be missing.');
    if (page.nextCursor !== null) output.note(`More jobs: add --cursor ${page.nextCursor}`);
  });
}

/** `counts`: how many jobs there are. */
export async function counts(
  { account }: { readonly account?: string },
  { io, output }: CommandContext,
): Promise<ExitCode> {
  return await withClient({ io, output }, async (app) => {
    const found = await app.publisher.counts({ account });
    output.answer(found, countsText(found));
  });
}
