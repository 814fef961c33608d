import type { Operation, OperationKind, OperationPreview, OperationTotals } from '../../core/operation.ts';
import { PublishError } from '../../core/publish-error.ts';
import { countText, exactDurationText, timeText } from '../../core/quantity-text.ts';
import type { CommandContext } from '../cli-io.ts';
import type { ExitCode } from '../exit-codes.ts';
import { type FilterOptions, filterOf } from '../filter-options.ts';
import { textTable } from '../job-text.ts';
import { withOptionNames } from '../option-names.ts';
import { parseTime } from '../parse-time.ts';
import { withClient } from '../with-client.ts';

export interface OperateOptions extends FilterOptions {
  readonly at?: string;
  /** Ms. */
  readonly shift?: number;
  readonly rate?: number;
  readonly dryRun?: boolean;
  readonly limit?: number;
  readonly cursor?: string;
}

/** `operations retry`, `cancel`, `reschedule`: starts it, or tells what it would do. */
export async function operate(
  kind: OperationKind,
  { at, shift: shiftMs, rate: ratePerSecond, dryRun = false, limit, cursor, ...options }: OperateOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const scheduledAt = at === undefined ? undefined : parseTime(at, Date.now());
  const request = { kind, filter: await filterOf(options, Date.now()), scheduledAt, shiftMs, ratePerSecond };
  if (!dryRun && (limit !== undefined || cursor !== undefined)) {
    const problems = [{ path: limit === undefined ? '--cursor' : '--limit', message: 'only used with --dry-run' }];
    throw new PublishError('INPUT_INVALID', { problems });
  }
  return await withClient(context, async ({ publisher: { operations } }) => {
    const { output } = context;
    if (dryRun) {
      const preview = await withOptionNames(() => operations.preview(request, { limit, cursor }));
      output.answer(preview, previewText(preview));
      if (preview.nextCursor !== null) output.note(`More jobs: add --cursor ${preview.nextCursor}`);
      return;
    }
    const operation = await withOptionNames(() => operations.start(request));
    const { id } = operation;
    const next = `to follow it: tiktok-publisher operations show ${id}\nto end it: tiktok-publisher operations abort ${id}`;
    output.answer(operation, `operation ${id}\n${next}`);
  });
}

/** `operations list`. */
export async function listOperations(context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async ({ publisher }) => {
    const operations = await publisher.operations.list();
    const rows = operations.map((each) => [
      ...[each.id, each.kind, each.state, progressText(each), timeText(each.createdAt), each.by ?? ''],
    ]);
    const table = textTable([['ID', 'KIND', 'STATE', 'JOBS', 'STARTED', 'BY'], ...rows]);
    context.output.answer({ operations }, operations.length === 0 ? 'No operations.' : table);
  });
}

/** `operations show`. */
export async function showOperation(id: string, context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async ({ publisher }) => {
    const operation = await publisher.operations.get(id);
    context.output.answer(operation, operationText(operation));
  });
}

/** `operations abort`. */
export async function abortOperation(id: string, context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async ({ publisher }) => {
    const operation = await publisher.operations.abort(id);
    context.output.answer(operation, operationText(operation));
  });
}

function operationText(operation: Operation): string {
  const { id, kind, state, filter, scheduledAt, shiftMs, createdAt, by, endedAt, abortedBy, totals } = operation;
  const rows: [string, string | null][] = [
    ['operation', id],
    ['kind', kind],
    ['state', abortedBy === null ? state : `${state} by ${abortedBy}`],
    ['filter', JSON.stringify(filter)],
    ['new time', scheduledAt],
    [(shiftMs ?? 0) < 0 ? 'earlier by' : 'later by', shiftMs === null ? null : exactDurationText(Math.abs(shiftMs))],
    ['jobs', progressText(operation)],
    ['started', `${timeText(createdAt)}${by === null ? '' : ` by ${by}`}`],
    ['ended', endedAt === null ? null : timeText(endedAt)],
  ];
  const known = rows.flatMap(([name, text]) => (text === null ? [] : [[name, text]]));
  return [textTable(known), ...totalsText(totals)].join('\n');
}

function progressText({ doneCount, jobCount, state }: Operation): string {
  if (jobCount === null) return state === 'running' ? 'being gathered' : 'none touched';
  return `${doneCount} of ${jobCount}`;
}

function previewText({ jobCount, totals, jobs }: OperationPreview): string {
  const summary = totals === null ? [] : [countText(jobCount ?? 0, 'job'), ...totalsText(totals)];
  const rows = jobs.map(({ id, account, post, state, way, refusal }) => [
    ...[id, account, state, way ?? `refused: ${refusal?.reason}`, post],
  ]);
  return [
    ...summary,
    ...(rows.length === 0 ? [] : [textTable([['JOB', 'ACCOUNT', 'STATE', 'WAY', 'POST'], ...rows])]),
  ].join('\n');
}

function totalsText({ ways, refused }: OperationTotals): string[] {
  return [
    ...Object.entries(ways).map(([way, count]) => `  ${count} ${way}`),
    ...refused.map(({ code, reason, count }) => `  ${count} refused: ${reason} (${code})`),
  ];
}
