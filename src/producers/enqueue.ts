import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { type EntryScript, publishEntryOf } from '../core/job-reference.ts';
import type { Clock } from '../core/ports.ts';
import { type InputProblem, PublishError, toPublishError } from '../core/publish-error.ts';
import { checkIdempotencyKey, type NewRequest, type PublishRequest, parseNewRequest } from '../core/publish-request.ts';
import { digestRequest, sha256Hex } from '../core/request-digest.ts';
import { holdsSecrets } from '../core/request-secrets.ts';
import { refusalOfTime } from '../core/scheduled-time.ts';
import type { TimelineFact } from '../core/timeline-events.ts';
import { type Created, type EntryToAdd, newRecord } from '../ledger/change.ts';
import { toPublishJob } from '../ledger/job-view.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerReader } from '../ledger/ledger-reader.ts';
import type { Queues } from '../ledger/queues/queues.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import { AWAITING_TURN_MS } from '../limits/lanes.ts';
import type { Confirmed } from '../redis/confirmation.ts';
import { actorIn } from './actor.ts';
import type { BulkEntry, EnqueuedJob } from './publisher.ts';

export interface EnqueueDeps {
  readonly ledger: Ledger;
  readonly reader: Pick<LedgerReader, 'read'>;
  readonly queues: Queues;
  readonly clock: Clock;
  /** Makes a request that holds secrets fit to be stored. */
  readonly sealSecrets: (request: PublishRequest, jobId: string) => Promise<PublishRequest>;
}

interface Accepted {
  readonly record: LedgerRecord;
  readonly wait: Created['wait'];
  readonly isEntered: boolean;
  readonly job: EnqueuedJob;
}

/** A request that passed every check, with the key it came under. */
export interface AcceptableEntry {
  readonly request: NewRequest;
  readonly idempotencyKey: string | undefined;
  readonly by: string | undefined;
}

/**
 * Checks entries before any of them is accepted.
 * @throws PublishError the first entry's own error when there is one entry, else `INPUT_INVALID` with every problem
 */
export function parseEntries(entries: readonly (NewRequest | BulkEntry)[]): AcceptableEntry[] {
  const errors: (PublishError | undefined)[] = [];
  const parsed: AcceptableEntry[] = [];
  for (const [index, entry] of entries.entries()) {
    try {
      parsed.push(parseEntry(entry));
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      errors[index] = error;
    }
  }
  throwRefusals(errors, entries.length);
  return parsed;
}

/** @param errors each at the place of its entry */
function throwRefusals(errors: readonly (PublishError | undefined)[], entryCount: number): void {
  if (entryCount === 1 && errors[0] !== undefined) throw errors[0];
  const problems = errors.flatMap((error, index): InputProblem[] => {
    if (error === undefined) return [];
    const found = error.details.problems ?? [{ path: 'request', message: error.message }];
    return found.map(({ path, message }) => ({ path: `[${index}].${path}`, message }));
  });
  if (problems.length > 0) throw new PublishError('INPUT_INVALID', { problems });
}

/** Refuses times that are long over. A key that was seen stands for a job whose time was accepted when it was to come. */
async function refuseOldTimes(
  entries: readonly AcceptableEntry[],
  { clock, ledger }: Pick<EnqueueDeps, 'clock' | 'ledger'>,
): Promise<void> {
  if (entries.every(({ request }) => request.scheduledAt === undefined && request.notAfter === undefined)) return;
  const now = clock.now();
  const errors = entries.map(async ({ request, idempotencyKey }) => {
    const error = refusalOfTime(request, now);
    if (error === undefined || idempotencyKey === undefined) return error;
    const known = await ledger.idOfIdempotencyKey(sha256Hex(idempotencyKey));
    return known === undefined ? error : undefined;
  });
  throwRefusals(await Promise.all(errors), entries.length);
}

function parseEntry(entry: NewRequest | BulkEntry): AcceptableEntry {
  if (!('request' in entry)) return { request: parseNewRequest(entry), idempotencyKey: undefined, by: undefined };
  const { idempotencyKey } = entry;
  const by = actorIn(entry);
  checkIdempotencyKey(idempotencyKey);
  return { request: parseNewRequest(entry.request), idempotencyKey, by };
}

/** How often a record is written again that went to a server which was no longer the master. */
const MAX_CREATIONS = 3;
const RECONNECTED_AFTER_MS = 500;

/**
 * Makes the jobs' records with their queue entries, in one step each. Where a failover may lose a record, it first proves
 * that it can't, and adds the entry then. Once the records stand the jobs are accepted: should the queue not be reached
 * after that, the workers' sweep adds the entries.
 * @throws PublishError `INPUT_SCHEDULED_IN_PAST`; `REDIS_NOT_REPLICATED` when that can't be proven of one of them; then all that were made are
 * taken back, and those that can't be are named
 */
export async function enqueueEntries(entries: readonly AcceptableEntry[], deps: EnqueueDeps): Promise<EnqueuedJob[]> {
  await refuseOldTimes(entries, deps);
  const { ledger, queues } = deps;
  const script = ledger.needsConfirmation ? undefined : await queues.entryScript('publish').catch(() => undefined);
  const outcomes = await Promise.allSettled(entries.map((entry) => createJob(entry, script, deps)));
  const accepted = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const created = accepted.filter(({ job }) => job.created);
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  const notReplicated = errors.find(isNotReplicated);
  if (notReplicated !== undefined) {
    // The others were not reported yet: a caller that repeats the call must not get them twice.
    const results = await Promise.all(created.map(({ record }) => takeBack(record, deps.ledger)));
    const left = created.filter((_, index) => results[index] !== 'gone').map(({ record }) => record.id);
    throw left.length === 0 ? notReplicated : mayRun(left, notReplicated);
  }
  await addQueueEntries(
    created.filter(({ isEntered }) => !isEntered),
    deps,
  ).catch(() => undefined);
  if (errors.length > 0) throw errors[0];
  return accepted.map(({ job }) => job);
}

function isNotReplicated(error: unknown): error is PublishError {
  return error instanceof PublishError && error.code === 'REDIS_NOT_REPLICATED';
}

async function createJob(
  { request, idempotencyKey, by }: AcceptableEntry,
  script: EntryScript | undefined,
  { ledger, reader, clock, sealSecrets }: Omit<EnqueueDeps, 'queues'>,
): Promise<Accepted> {
  const cause = { event: 'queued', ...(by !== undefined && { by }) } as const;
  const id = uuidv7();
  const stored = holdsSecrets(request) ? await sealSecrets(request, id) : request;
  const now = clock.now();
  const requestDigest = idempotencyKey === undefined ? undefined : digestRequest(request);
  const made = newRecord({ id, request, stored, now, idempotencyKey, requestDigest });
  const entry = script && { script, delayMs: delayOf(made, now) };
  const { record, created, id: presentId, wait, isEntered } = await createForGood(made, { cause, entry }, ledger);
  if (created) {
    const timeline = [{ at: new Date(record.createdAt).toISOString(), ...cause }];
    const present: LedgerRecord = { ...record, ...wait };
    return { record, wait, isEntered, job: { ...toPublishJob(present, timeline), created } };
  }
  const existing = await ledger.read(presentId);
  if (existing === undefined || existing.requestDigest !== record.requestDigest) {
    throw new PublishError('IDEMPOTENCY_CONFLICT', {
      reason: `the idempotency key was already used for a different request (job ${presentId})`,
    });
  }
  const present = (await reader.read(presentId)) ?? toPublishJob(existing, []);
  return { record: existing, wait, isEntered, job: { ...present, created } };
}

/** A job that existed is confirmed too: its first caller may have got an error. */
async function createForGood(
  record: LedgerRecord,
  { cause, entry }: { readonly cause: TimelineFact; readonly entry: EntryToAdd | undefined },
  ledger: Ledger,
): Promise<Created> {
  for (let creations = 1; ; creations += 1) {
    const made = await ledger.create(record, cause, entry);
    const outcome = await ledger.confirmCreated(made.id).catch((error: unknown) => toPublishError(error));
    if (outcome === 'confirmed') return made;
    if (outcome === 'missing' && creations < MAX_CREATIONS) {
      // By then we are connected to the server that is the master now.
      await sleep(RECONNECTED_AFTER_MS);
      continue;
    }
    const error = outcome === 'missing' ? new PublishError('REDIS_NOT_REPLICATED') : outcome;
    if (!made.created) throw error;
    const result = await takeBack(made.record, ledger);
    if (result === 'stands') return made;
    throw result === 'gone' ? error : mayRun([made.id], error);
  }
}

/** @returns `stands` when a failover has kept the job, `unknown` when nobody can tell */
async function takeBack(record: LedgerRecord, ledger: Ledger): Promise<'gone' | 'stands' | 'unknown'> {
  const { id } = record;
  // On the server that we know. Another one that has the job may be the master by now, or be made it.
  if (!(await ledger.forget(record).catch(() => false))) return 'unknown';
  if (await isConfirmed(ledger.confirmGone(id))) return 'gone';
  return (await isConfirmed(ledger.confirmCreated(id))) ? 'stands' : 'unknown';
}

async function isConfirmed(confirming: Promise<Confirmed>): Promise<boolean> {
  return (await confirming.catch(() => 'missing')) === 'confirmed';
}

function mayRun(ids: readonly string[], cause: PublishError): PublishError {
  const reason = `${cause.details.reason ?? cause.message}; these jobs were created, could not be reliably removed, and may run: ${ids.join(', ')}`;
  return new PublishError('REDIS_NOT_REPLICATED', { reason });
}

async function addQueueEntries(
  accepted: readonly Accepted[],
  deps: Pick<EnqueueDeps, 'clock' | 'queues'>,
): Promise<void> {
  if (accepted.length === 0) return;
  const now = deps.clock.now();
  await deps.queues.addPublishEntries(
    accepted.map(({ record, wait }) => publishEntryOf(record, wait ? AWAITING_TURN_MS : delayOf(record, now))),
  );
}

function delayOf({ scheduledAt = 0 }: LedgerRecord, now: number): number {
  return Math.max(0, scheduledAt - now);
}
