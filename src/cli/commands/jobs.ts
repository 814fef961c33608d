import type { Client } from '../../app/open-client.ts';
import { headline } from '../../core/headline.ts';
import { jobChangesSchema } from '../../core/job-changes.ts';
import { PublishError, toInputProblems } from '../../core/publish-error.ts';
import type { PublishJob } from '../../core/publish-job.ts';
import { pauseLine } from '../../core/publishing-pause.ts';
import type { Publisher, RetriedJob } from '../../producers/publisher.ts';
import type { CommandContext, Output } from '../cli-io.ts';
import type { ExitCode } from '../exit-codes.ts';
import { type FilterOptions, filterOf } from '../filter-options.ts';
import { countsText, jobTable, jobText } from '../job-text.ts';
import { privacyLevelOf, withOptionNames } from '../option-names.ts';
import { parseTime, whenText } from '../parse-time.ts';
import { withClient } from '../with-client.ts';

/** `status`: one job with its timeline. */
export async function status(idOrKey: string, { io, output }: CommandContext): Promise<ExitCode> {
  return await withClient({ io, output }, async (app) => {
    const job = await findJob(idOrKey, app.publisher);
    output.answerProse(job, jobText(job));
    await tellPause(app, output);
  });
}

/** The job of a command. @throws PublishError `JOB_NOT_FOUND` */
export async function findJob(idOrKey: string, publisher: Pick<Publisher, 'get' | 'list'>): Promise<PublishJob> {
  const job = (await publisher.get(idOrKey)) ?? (await publisher.list({ idempotencyKey: idOrKey })).jobs[0];
  if (job === undefined) {
    throw new PublishError('JOB_NOT_FOUND', { reason: `no publish job has the id or idempotency key ${idOrKey}` });
  }
  return job;
}

/** `cancel`: stops a job that cannot have been published yet. */
export async function cancel(idOrKey: string, { io, output }: CommandContext): Promise<ExitCode> {
  return await withClient({ io, output }, async (app) => {
    const { id } = await findJob(idOrKey, app.publisher);
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
  idOrKey: string,
  { force = false }: { readonly force?: boolean },
  { io, output }: CommandContext,
): Promise<ExitCode> {
  return await withClient({ io, output }, async (app) => {
    const { id } = await findJob(idOrKey, app.publisher);
    const job = await app.publisher.retry(id, { force });
    const next = `to follow it: tiktok-publisher watch ${id}`;
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
    await tellPause(app, output);
    if (page.indexing) output.note('Workers still index the jobs of an older version: some may be missing.');
    if (page.nextCursor !== null) output.note(`More jobs: add --cursor ${page.nextCursor}`);
  });
}

/** Says so while all publishing is paused. */
export async function tellPause({ publisher }: Pick<Client, 'publisher'>, output: Output): Promise<void> {
  const pause = await publisher.paused();
  if (pause !== null) output.note(`${pauseLine(pause)} To go on: tiktok-publisher resume`);
}

/** `counts`: how many jobs there are. */
export async function counts(
  { account }: { readonly account?: string },
  { io, output }: CommandContext,
): Promise<ExitCode> {
  return await withClient({ io, output }, async (app) => {
    const found = await app.publisher.counts({ account });
    output.answer(found, countsText(found));
    await tellPause(app, output);
  });
}

export interface UpdateCommandOptions {
  readonly at?: string;
  readonly now?: boolean;
  readonly notAfter?: string;
  readonly anyTime?: boolean;
  readonly priority?: number;
  readonly title?: string;
  readonly privacy?: string;
  readonly post?: Record<string, unknown>;
}

/** `update`: changes a job that has not begun. */
export async function update(
  idOrKey: string,
  options: UpdateCommandOptions,
  { io, output }: CommandContext,
): Promise<ExitCode> {
  const changes = await withOptionNames(async () => parseOptions(options));
  return await withClient({ io, output }, async (app) => {
    const { id } = await findJob(idOrKey, app.publisher);
    const job = await withOptionNames(() => app.publisher.update(id, changes));
    output.answer(job, `${headline(job)}${whenText(job)}`);
  });
}

function parseOptions({ at, now, notAfter, anyTime, priority, title, privacy, post }: UpdateCommandOptions) {
  const settings = {
    ...post,
    ...(title !== undefined && { title }),
    ...(privacy !== undefined && { privacyLevel: privacyLevelOf(privacy) }),
  };
  const changes = {
    ...(at !== undefined && { scheduledAt: parseTime(at, Date.now()) }),
    ...(now === true && { scheduledAt: null }),
    ...(notAfter !== undefined && { notAfter: parseTime(notAfter, Date.now()) }),
    ...(anyTime === true && { notAfter: null }),
    ...(priority !== undefined && { priority }),
    ...(Object.keys(settings).length > 0 && { post: settings }),
  };
  const result = jobChangesSchema.safeParse(changes);
  const problems = result.success ? [] : toInputProblems(result.error.issues, 'changes');
  if (Object.keys(changes).length === 0)
    problems.push({ path: 'update', message: 'expected what to change, such as --at or --title' });
  if (!result.success || problems.length > 0) throw new PublishError('INPUT_INVALID', { problems });
  return result.data;
}
