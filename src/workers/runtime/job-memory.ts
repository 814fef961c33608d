import type { Logger } from 'pino';
import { exposureOf, mightBePublished } from '../../core/exposure.ts';
import { END_EVENTS } from '../../core/publish-event.ts';
import { isTerminal } from '../../core/publish-state.ts';
import { publishIdOf } from '../../core/session.ts';
import type { Change } from '../../ledger/change.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { LedgerPatch, LedgerRecord } from '../../ledger/record.ts';

/** A record takes about 1 kB, so this is about 10 MB at the most. */
const MAX_JOBS = 10_000;

const NO_PUBLISH_IDS: ReadonlySet<string> = new Set();

/** What a record says of its job, without what never changes or is the ledger's own. */
type Facts = Omit<Pick<LedgerRecord, keyof LedgerPatch>, 'request'>;

/** The newest that this process knows of one job. */
interface Known extends Pick<LedgerRecord, 'createdAt' | 'state' | 'revision' | 'updatedAt'> {
  readonly facts: Facts;
  /** Kept only where a person has changed it; others are in any record. */
  readonly changedRequest: LedgerRecord['request'] | undefined;
  /** When its last init was intended, kept after the answer: so an older record of the same init is recognised. */
  readonly intendedAt: number | undefined;
  /** Every publish_id that it had, as far as we saw. */
  readonly publishIds: ReadonlySet<string>;
}

/**
 * A ledger that remembers the newest record of each job it claimed or changed lately. When a record turns out to be
 * older than that, as after a failover that lost acknowledged writes, what is remembered is written again before anything
 * is done: a job whose publish_id got lost asks TikTok about it instead of beginning again.
 */
export function rememberJobs(ledger: Ledger, { log }: { log: Logger }): Ledger {
  const jobs = new Map<string, Known>();

  function remember(record: LedgerRecord): void {
    const { id, createdAt, state, revision, updatedAt, initCount } = record;
    const before = jobs.get(id);
    const sameInit = before?.facts.initCount === initCount ? before.intendedAt : undefined;
    const intendedAt = record.session.kind === 'init_sent' ? record.session.intendedAt : sameInit;
    const publishId = publishIdOf(record.session);
    const seenIds = before?.publishIds ?? NO_PUBLISH_IDS;
    const publishIds = publishId === undefined || seenIds.has(publishId) ? seenIds : new Set([...seenIds, publishId]);
    jobs.delete(id);
    const changedRequest = record.changedAt === undefined ? undefined : record.request;
    const facts = factsOf(record);
    jobs.set(id, { createdAt, state, revision, updatedAt, facts, changedRequest, intendedAt, publishIds });
    const [oldest] = jobs.size > MAX_JOBS ? jobs.keys() : [];
    if (oldest !== undefined) jobs.delete(oldest);
  }

  return {
    ...ledger,

    async claim(id, ...how) {
      const claim = await ledger.claim(id, ...how);
      if (claim.kind !== 'claimed') return claim;
      const known = jobs.get(id);
      const record =
        known !== undefined && goesOnFrom(claim.record, known) ? await restore(claim.record, known) : claim.record;
      remember(record);
      return { ...claim, record };
    },

    async commit(record, change) {
      const next = await ledger.commit(record, change);
      remember(next);
      return next;
    },

    async commitAndLeave(...how) {
      const committed = await ledger.commitAndLeave(...how);
      remember(committed.record);
      return committed;
    },
  };

  async function restore(record: LedgerRecord, known: Known): Promise<LedgerRecord> {
    log.warn(
      { publishJobId: record.id, from: record.state, to: known.state },
      'older ledger record restored from memory',
    );
    return await ledger.intervene(record, restoration(record, known));
  }
}

/** Whether the record is an older state of what we know, because Redis went back in time. */
function goesOnFrom(record: LedgerRecord, known: Known): boolean {
  // Another job under the same id.
  if (known.createdAt !== record.createdAt) return false;
  // A person has looked and decided since.
  if ((record.retriedAt ?? 0) > known.updatedAt) return false;
  return known.revision > record.revision && isSameSession(record, known) && !wasEndedSince(record, known);
}

/**
 * Whether somebody ended a record after it went back, by a cancel or by accepting a restored ledger. That stands unless
 * we remember a post that TikTok has or may have.
 */
function wasEndedSince(record: LedgerRecord, { state, facts }: Known): boolean {
  if (!isTerminal(record.state) || facts.retriedAt !== record.retriedAt) return false;
  if (state === 'processing' || state === 'published' || state === 'in_inbox') return false;
  // Another process may have started again since, so what we remember could become a second post.
  if (record.state === 'unconfirmed') return true;
  const remembered: LedgerRecord = { ...record, ...facts, state };
  return isTerminal(state) || !mightBePublished(exposureOf(remembered));
}

/** Another owner may have started its own session since; what we remember must not replace it. */
function isSameSession({ session, initCount }: LedgerRecord, { facts, intendedAt, publishIds }: Known): boolean {
  switch (session.kind) {
    case 'none':
      return initCount <= facts.initCount;
    case 'init_sent':
      return session.intendedAt === intendedAt;
    default:
      return publishIds.has(session.publishId);
  }
}

function factsOf(record: LedgerRecord): Facts {
  const { id, request, requestDigest, createdAt, state, stateSince, revision, fence, updatedAt, ...facts } = record;
  return facts;
}

function restoration(record: LedgerRecord, { state, revision, facts, changedRequest }: Known): Change {
  const cause = { event: 'record_restored', from: record.state, to: state, revision: record.revision } as const;
  const cleared = Object.fromEntries(Object.keys(factsOf(record)).map((field) => [field, undefined]));
  const patch: LedgerPatch = { ...cleared, ...facts, ...(changedRequest && { request: changedRequest }) };
  return {
    ...{ to: state, cause, patch, goesOnFrom: { revision } },
    // Followers may never have seen the event that was lost.
    ...(isTerminal(state) && state !== record.state && { event: END_EVENTS[state as keyof typeof END_EVENTS] }),
  };
}
