import { headline } from '../../core/headline.ts';
import { jobChangesSchema } from '../../core/job-changes.ts';
import { PublishError, toInputProblems } from '../../core/publish-error.ts';
import type { CommandContext } from '../cli-io.ts';
import type { ExitCode } from '../exit-codes.ts';
import { privacyLevelOf, withOptionNames } from '../option-names.ts';
import { parseTime, whenText } from '../parse-time.ts';
import { withClient } from '../with-client.ts';

export interface UpdateCommandOptions {
  readonly at?: string;
  readonly now?: boolean;
  readonly priority?: number;
  readonly title?: string;
  readonly privacy?: string;
  readonly post?: Record<string, unknown>;
}

/** `update`: changes a job that has not begun. */
export async function update(
  id: string,
  options: UpdateCommandOptions,
  { io, output }: CommandContext,
): Promise<ExitCode> {
  const changes = await withOptionNames(async () => parseOptions(options));
  return await withClient({ io, output }, async (app) => {
    const job = await withOptionNames(() => app.publisher.update(id, changes));
    output.answer(job, `${headline(job)}${whenText(job)}`);
  });
}

function parseOptions({ at, now, priority, title, privacy, post }: UpdateCommandOptions) {
  const settings = {
    ...post,
    ...(title !== undefined && { title }),
    ...(privacy !== undefined && { privacyLevel: privacyLevelOf(privacy) }),
  };
  const changes = {
    ...(at !== undefined && { scheduledAt: parseTime(at, Date.now()) }),
    ...(now === true && { scheduledAt: null }),
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
