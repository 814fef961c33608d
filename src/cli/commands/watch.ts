import type { Client } from '../../app/open-client.ts';
import { headline } from '../../core/headline.ts';
import type { PublishJob } from '../../core/publish-job.ts';
import { isTerminal } from '../../core/publish-state.ts';
import type { Publisher } from '../../producers/publisher.ts';
import type { CommandContext } from '../cli-io.ts';
import { type ExitCode, exitCodeOfJob } from '../exit-codes.ts';
import { Interrupted, interruptible } from '../interrupt.ts';
import { jobText } from '../job-text.ts';
import { createProgressDisplay } from '../progress-display.ts';
import { watchJob } from '../watch-job.ts';
import { withClient } from '../with-client.ts';
import { findJob } from './jobs.ts';

/** `watch`: shows a job until it has its outcome. */
export async function watch(idOrKey: string, context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async (app) => {
    const { id } = await findJob(idOrKey, app.publisher);
    return await watchUntilEnd(id, app.publisher, context);
  });
}

/** Shows a job's progress until its outcome: with `--json` one document per change. @param begin printed first */
export async function watchUntilEnd(
  id: string,
  publisher: Pick<Publisher, 'get'>,
  { io, output }: CommandContext,
  begin?: string,
): Promise<ExitCode> {
  const display = createProgressDisplay(io.stderr);
  let last: PublishJob | undefined;
  const onOutage = (isAway: boolean): void => {
    display.stop();
    output.note(isAway ? 'Redis is away, waiting; the job goes on.' : 'Redis is back.');
  };
  await tellingThatTheJobGoesOn(id, { io, output }, async (signal) => {
    if (begin !== undefined) output.note(begin);
    try {
      for await (const job of watchJob(publisher, id, { signal, onOutage })) {
        last = job;
        if (output.json) output.answer(job, '');
        else if (!isTerminal(job.state)) display.show(job);
      }
    } finally {
      // Before anything else is said: the live line holds the terminal.
      display.stop();
    }
  });
  if (last === undefined) throw new Error('the job was deleted while it was watched');
  if (!output.json) output.answerProse(last, outcomeText(last));
  return exitCodeOfJob(last);
}

/** Waits for a job's outcome. @param begin printed first, and nothing more before the outcome */
export async function waitUntilEnd(id: string, app: Client, context: CommandContext, begin: string): Promise<ExitCode> {
  const job = await tellingThatTheJobGoesOn(id, context, async (signal) => {
    context.output.note(begin);
    return await app.publisher.waitForCompletion(id, { signal });
  });
  context.output.answerProse(job, outcomeText(job));
  return exitCodeOfJob(job);
}

function outcomeText(job: PublishJob): string {
  return job.failure === null ? `${headline(job)}\njob ${job.id}` : jobText({ ...job, timeline: [] });
}

/** People who press Ctrl-C must not think that they have stopped the job. */
async function tellingThatTheJobGoesOn<T>(
  id: string,
  { output }: CommandContext,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await interruptible(wait);
  } catch (error) {
    if (error instanceof Interrupted)
      output.note(`\nStopped watching. The job continues. To watch it again: tiktok-publisher watch ${id}`);
    throw error;
  }
}
