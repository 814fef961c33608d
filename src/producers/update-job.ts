import { changeRequest, type JobChanges, parseJobChanges, whyUnchangeable } from '../core/job-changes.ts';
import { publishEntryOf } from '../core/job-reference.ts';
import { PublishError } from '../core/publish-error.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import { refusalOfTime } from '../core/scheduled-time.ts';
import type { TimelineFact } from '../core/timeline-events.ts';
import { MINUTE_MS } from '../core/units.ts';
import { type Change, NOT_WAITING } from '../ledger/change.ts';
import { laneMemberOf } from '../ledger/job-view.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import { wakeJobs } from '../limits/wake-jobs.ts';
import { type ChangeDeps, changing, type Origin, withinOperation } from './change-job.ts';

type UpdateFact = Extract<TimelineFact, { readonly event: 'updated' }>;

/**
 * Changes times, priority or post of a job that has not begun. A worker that is about to begin it is fenced out, and
 * begins with what was changed.
 * @throws PublishError `INPUT_INVALID`, `INPUT_SCHEDULED_IN_PAST`, `JOB_NOT_FOUND`, `JOB_NOT_CHANGEABLE` with the reason
 */
export async function updateJob(
  id: string,
  input: { readonly changes: JobChanges; readonly by: string | undefined },
  deps: ChangeDeps,
): Promise<void> {
  const changes = parseJobChanges(input.changes);
  await changing(id, deps.ledger, (record) => updateAsItIs(record, changes, input, deps));
}

/** Changes a job that was just read. @throws PublishError as {@link updateJob}, `INTERNAL_OVERTAKEN` */
export async function updateAsItIs(
  record: LedgerRecord,
  changes: JobChanges,
  origin: Origin,
  deps: ChangeDeps,
): Promise<void> {
  const reason = whyUnchangeable(record);
  if (reason !== undefined) throw new PublishError('JOB_NOT_CHANGEABLE', { reason });
  const request = changeRequest(record.request, changes);
  const difference = differenceOf(record.request, request);
  if (difference === undefined) {
    // An earlier call that was not confirmed may have made the change.
    if (record.changedAt !== undefined) await deps.ledger.confirmIntervention(record, 'changedAt');
    return;
  }
  const { by } = origin;
  const cause = { ...difference, ...(by !== undefined && { by }) };
  const now = deps.clock.now();
  const refusal = refusalOfTime(
    {
      ...(cause.scheduledAt !== undefined && { scheduledAt: request.scheduledAt }),
      ...(cause.notAfter !== undefined && { notAfter: request.notAfter }),
    },
    now,
  );
  if (refusal !== undefined) throw refusal;
  const change = { ...changeOf(record, request, cause, now), ...withinOperation(origin, 'move') };
  const changed = await deps.ledger.intervene(record, change);
  await deps.ledger.confirmIntervention(changed, 'changedAt');
  await follow(record, changed, deps).catch(() => undefined);
}

/** @returns undefined where the requests are the same */
function differenceOf(before: PublishRequest, after: PublishRequest): UpdateFact | undefined {
  const [old, next]: Record<string, unknown>[] = [{ ...before.post }, { ...after.post }];
  const post = Object.keys({ ...old, ...next }).filter((name) => old?.[name] !== next?.[name]);
  const fact: UpdateFact = {
    event: 'updated',
    ...(before.scheduledAt !== after.scheduledAt && { scheduledAt: after.scheduledAt ?? null }),
    ...(before.notAfter !== after.notAfter && { notAfter: after.notAfter ?? null }),
    ...((before.priority ?? 0) !== (after.priority ?? 0) && { priority: after.priority ?? 0 }),
    ...(post.length > 0 && { post }),
  };
  return Object.keys(fact).length > 1 ? fact : undefined;
}

function changeOf(record: LedgerRecord, request: PublishRequest, cause: UpdateFact, now: number): Change {
  const scheduledAt = request.scheduledAt === undefined ? undefined : Date.parse(request.scheduledAt);
  const isLater = scheduledAt !== undefined && scheduledAt > now;
  // What was booked rests on a check of the post as it was.
  const patch = { request, changedAt: now, ...(cause.post !== undefined && { bookedSlot: undefined }) };
  if (cause.scheduledAt === undefined) {
    // What it waits for stays, and the sweep must not wake it before.
    const nextAt = record.state === 'scheduled' ? record.scheduledAt : (record.waitingUntil ?? now) + MINUTE_MS;
    return { cause, patch, dueAt: nextAt ?? now };
  }
  if (!isLater) return { cause, to: 'queued', patch: { ...patch, scheduledAt } };
  return { cause, to: 'scheduled', patch: { ...patch, ...NOT_WAITING, scheduledAt }, dueAt: scheduledAt };
}

/** Lets lane and queue entry follow; should that fail, the job still starts by its record, found by the sweep. */
async function follow(before: LedgerRecord, after: LedgerRecord, deps: ChangeDeps): Promise<void> {
  const { clock, lanes, queues } = deps;
  const delayMs = after.state === 'scheduled' ? Math.max(0, (after.scheduledAt ?? 0) - clock.now()) : 0;
  const entry = publishEntryOf(after, delayMs);
  if (entry.priority !== (before.request.priority ?? 0)) {
    await queues.changePublishPriority(entry);
    if (after.state === 'queued') await lanes.reorder(laneMemberOf(after));
  }
  if (before.scheduledAt === after.scheduledAt) return;
  if (after.state === 'scheduled' || before.state === 'scheduled') await queues.delayPublishEntry(entry);
  if (after.state === 'scheduled') await wakeJobs(await lanes.leave(after.account, after.id), deps);
}
