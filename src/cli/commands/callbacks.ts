import { openApp } from '../../app/open-app.ts';
import { loadConfig } from '../../config/load-config.ts';
import type { CallbackOverview, JobDeliveries } from '../../core/delivery-reports.ts';
import { type InputProblem, PublishError } from '../../core/publish-error.ts';
import { countText } from '../../core/quantity-text.ts';
import type { CommandContext } from '../cli-io.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { attemptTable, textTable } from '../job-text.ts';
import { withClient } from '../with-client.ts';

/** `callbacks list`: how deliveries go, or those of one job. */
export async function listCallbacks(jobId: string | undefined, context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async ({ callbacks: deliveries }) => {
    if (jobId === undefined) {
      const overview = await deliveries.overview();
      context.output.answer(overview, overviewText(overview));
    } else {
      const jobDeliveries = await deliveries.ofJob(jobId);
      context.output.answer(jobDeliveries, deliveriesText(jobDeliveries));
    }
  });
}

export interface ReplayOptions {
  readonly failed?: boolean;
  readonly endpoint?: string;
}

/** `callbacks replay`: delivers an event, the events of a job, or all that were given up, again. */
export async function replayCallbacks(
  id: string | undefined,
  { failed = false, endpoint }: ReplayOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const problem = misused(id, failed, endpoint);
  if (problem !== undefined) throw new PublishError('INPUT_INVALID', { problems: [problem] });
  return await withClient(context, async ({ callbacks: deliveries }) => {
    const outcome = id === undefined ? await deliveries.replayFailed(endpoint) : await deliveries.replay(id);
    const count = outcome.replayed.length;
    const text = `${countText(count, 'event')} ${count === 1 ? 'was' : 'were'} queued for delivery.`;
    context.output.answer(outcome, count === 0 ? 'No events to deliver again.' : text);
  });
}

function misused(id: string | undefined, failed: boolean, endpoint: string | undefined): InputProblem | undefined {
  if (endpoint !== undefined && !failed)
    return { path: '--endpoint', message: 'only used with --failed: add that, or remove it' };
  if (id !== undefined && failed)
    return { path: '--failed', message: 'not used with the id of an event or a job: remove one of them' };
  if (id === undefined && !failed)
    return { path: 'callbacks replay', message: 'expected the id of an event or a job, or --failed' };
  return undefined;
}

/** `callbacks resume`: ends the pause of an endpoint. */
export async function resumeCallbacks(endpoint: string, context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async ({ callbacks: deliveries }) => {
    const outcome = await deliveries.resume(endpoint);
    const text = `${outcome.endpoint} gets events again. Events that will now be delivered: ${outcome.woken}.`;
    context.output.answer(outcome, text);
  });
}

/** `callbacks secret`: what receivers verify signatures with, for people on a terminal and for pipes. */
export async function printCallbackSecret({ io, output }: CommandContext): Promise<ExitCode> {
  const app = await openApp({ ...loadConfig(io.env), logLevel: 'error' });
  try {
    const [newest = '', ...older] = app.callbackSecrets;
    if (older.length > 0)
      output.note(`${older.length} older secrets also sign, for receivers that do not have this secret yet.`);
    output.answer({ secret: newest }, newest);
    return EXIT_CODES.success;
  } finally {
    await app.close();
  }
}

function overviewText({ counts, paused, disabled, failed }: CallbackOverview): string {
  const { waiting, active, delayed, failed: failedCount } = counts;
  const lines = [
    `Events: ${waiting + active} in delivery, ${delayed} waiting for the next attempt, ${failedCount} failed permanently.`,
  ];
  if (paused.length > 0) {
    lines.push('', 'Paused endpoints. To resume one: tiktok-publisher callbacks resume <id or address>');
    const rows = paused.map((row) => [row.id, String(row.failures), String(row.waiting), row.lastCode, row.endpoint]);
    lines.push(textTable([['ID', 'FAILURES', 'WAITING', 'LAST', 'ENDPOINT'], ...rows]));
  }
  if (disabled.length > 0) {
    lines.push(
      '',
      'URLs that responded with 410 and get no more events. To resume one: callbacks resume <id or address>',
    );
    lines.push(textTable([['ID', 'SINCE', 'URL'], ...disabled.map((row) => [row.id, row.disabledAt, row.endpoint])]));
  }
  if (failed.length > 0) {
    lines.push(
      '',
      'Recent permanent failures. To deliver again: tiktok-publisher callbacks replay <event>, or replay --failed',
    );
    const rows = failed.map(({ eventId, type, reason }) => [eventId, type, reason]);
    lines.push(textTable([['EVENT', 'TYPE', 'WHY'], ...rows]));
  }
  return lines.join('\n');
}

function deliveriesText({ undelivered, attempts }: JobDeliveries): string {
  if (attempts.length === 0 && undelivered.length === 0) return 'This job has no callback deliveries.';
  const table = attemptTable(attempts);
  return undelivered.length === 0 ? table : `Not delivered yet: ${undelivered.join(', ')}\n${table}`;
}
