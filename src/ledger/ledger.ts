import { randomUUID } from 'node:crypto';
import type { Clock } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { encodeEvent, type PublishEventType, UNKNOWN_PART } from '../core/publish-event.ts';
import type { TimelineEntry } from '../core/publish-job.ts';
import { canTransition } from '../core/publish-state.ts';
import { publishIdOf, type Session } from '../core/session.ts';
import type { TimelineFact } from '../core/timeline-events.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';
import { laneScore } from '../limits/lanes.ts';
import { type Confirmation, NO_CONFIRMATION } from '../redis/confirmation.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareNamedScript, type RedisClient } from '../redis/lua-script.ts';
import type { Change } from './change.ts';
import { asArray, newFence, prepareClaim } from './claim.ts';
import { jobEvent, laneMemberOf } from './job-view.ts';
import { createLedgerConfirmation } from './ledger-confirmation.ts';
import { decodeRecord, encodePatch, type LedgerPatch, type LedgerProgress, type LedgerRecord } from './record.ts';
import { COMMIT_SCRIPT, CREATE_SCRIPT, FORGET_SCRIPT, NOTE_REPORT_SCRIPT, NOTE_SCRIPT } from './scripts.ts';
import { createSweepList } from './sweep-list.ts';

/** After how long the sweep looks at a job that nothing else has touched. */
export const SWEEP_AFTER_MS = MINUTE_MS;
/** After how long it looks at a new job, whose enqueuer may have died before it reached the queue. */
export const SWEEP_NEW_AFTER_MS = 15 * SECOND_MS;

export interface LedgerOptions {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
  /** Proves that writes survive a failover; nothing is proven by default. */
  readonly confirmation?: Confirmation;
}

const MAX_EVENTS = 100_000;

export type Ledger = ReturnType<typeof createLedger>;

/** The ledger's writing side: every change of a publish job goes through here. */
export function createLedger({ redis, keys, clock, confirmation = NO_CONFIRMATION }: LedgerOptions) {
  const runCreate = prepareNamedScript(redis, CREATE_SCRIPT);
  const runCommit = prepareNamedScript(redis, COMMIT_SCRIPT);
  const runNote = prepareNamedScript(redis, NOTE_SCRIPT);
  const runNoteReport = prepareNamedScript(redis, NOTE_REPORT_SCRIPT);
  const runForget = prepareNamedScript(redis, FORGET_SCRIPT);

  // ioredis sends a command again when the connection broke before its reply: the name of the call tells the scripts.
  const caller = randomUUID();
  let calls = 0;
  const nextCall = (): string => `${caller}:${++calls}`;

  const jobKeys = (id: string) => ({ job: keys.job(id), timeline: keys.timeline(id), due: keys.due });
  const indexKeys = ({ account, state, idempotencyDigest }: LedgerRecord) => ({
    allJobs: keys.allJobs,
    accountJobs: keys.accountJobs(account),
    stateJobs: keys.stateJobs(state),
    laneWaiting: keys.laneWaiting(account),
    laneAdmitted: keys.laneAdmitted(account),
    idempotency: idempotencyDigest === undefined ? undefined : keys.idempotency(idempotencyDigest),
  });
  const publishIdKey = ({ session }: Pick<LedgerPatch, 'session'>) => ({
    publishId: session === undefined ? undefined : publishIdKeyOf(session, keys),
  });
  /** Where it is noted that TikTok let a post begin. */
  const begunKeys = ({ account, mode }: LedgerRecord) => ({
    laneDelay: keys.laneDelay(account),
    ...(mode === 'direct' && { directPosts: keys.directPosts(account), activeUsers: keys.activeUsers }),
  });
  /** Where an event goes; those of a job that has a callback into the outbox, too, which costs other jobs nothing. */
  const eventKeys = ({ id, request }: LedgerRecord) => ({
    events: keys.events,
    ...(request.callbackUrl !== undefined && { outbox: keys.callbackOutbox, undelivered: keys.undeliveredEvents(id) }),
  });
  const history = (record: LedgerRecord, cause: TimelineFact, type: PublishEventType | undefined) => ({
    timelineEntry: JSON.stringify({ at: new Date(clock.now()).toISOString(), ...cause } satisfies TimelineEntry),
    event: type === undefined ? undefined : encodeEvent(jobEvent(type, record)),
    revisionMark: UNKNOWN_PART,
    maxEvents: MAX_EVENTS,
  });

  async function commit(
    record: LedgerRecord,
    change: Change,
    guard: { orLater?: true; newFence?: string },
  ): Promise<LedgerRecord> {
    const isStep = change.goesOnFrom === undefined;
    if (isStep && change.to !== undefined && !canTransition(record.state, change.to)) {
      throw new PublishError('INTERNAL_ERROR', { reason: `a job cannot change from ${record.state} to ${change.to}` });
    }
    const now = clock.now();
    const next: LedgerRecord = { ...record, ...change.patch, state: change.to ?? record.state, updatedAt: now };
    const answer = await runCommit(
      {
        ...jobKeys(record.id),
        ...eventKeys(record),
        ...publishIdKey(change.patch ?? {}),
        ...(change.hasBegun === true && begunKeys(record)),
        stateJobsPrefix: keys.stateJobs(''),
        polledJobs: keys.polledJobs(record.account),
      },
      {
        id: record.id,
        account: record.account,
        call: nextCall(),
        fence: String(record.fence),
        revision: String(record.revision),
        ...guard,
        to: change.to,
        now: String(now),
        dueInMs: (change.dueAt ?? now + SWEEP_AFTER_MS) - now,
        ...encodePatch(change.patch ?? {}),
        goesOnFrom: change.goesOnFrom?.revision,
        ...history(next, change.cause, change.event),
      },
    );
    const [outcome, revision, fence, since] = asArray(answer);
    if (outcome === 'committed') {
      const stateSince = since === null ? undefined : Number(since);
      return { ...next, revision: Number(revision), fence: Number(fence), stateSince };
    }
    throw new PublishError(outcome === 'missing' ? 'JOB_NOT_FOUND' : 'INTERNAL_OVERTAKEN', { reason: record.id });
  }

  return {
    ...createSweepList({ redis, keys }),
    ...createLedgerConfirmation({ confirmation, keys }),
    claim: prepareClaim({ redis, keys, clock, nextCall }),

    /**
     * Makes a record with its first event and, unless it is scheduled, lets it enter its account's lane.
     * @returns the id that holds the id or idempotency key, and whether the new job waits in its lane
     */
    async create(record: LedgerRecord, cause: TimelineFact): Promise<{ created: boolean; id: string; waits: boolean }> {
      const answer = await runCreate(
        {
          ...jobKeys(record.id),
          ...eventKeys(record),
          ...indexKeys(record),
          lanes: keys.lanes,
          laneLimit: keys.laneLimit,
        },
        {
          id: record.id,
          jobPrefix: keys.job(''),
          createdAt: String(record.createdAt),
          dueAt: String(record.scheduledAt ?? record.createdAt + SWEEP_NEW_AFTER_MS),
          account: record.account,
          place: record.state === 'queued' ? String(laneScore(laneMemberOf(record))) : undefined,
          set: encodePatch(record).set,
          ...history(record, cause, 'publish.queued'),
        },
      );
      const [outcome, id, where] = asArray(answer);
      // An id of our own that exists already is our own call, sent again after a lost reply.
      return { created: outcome === 'created' || id === record.id, id: String(id), waits: where === 'waiting' };
    },

    /**
     * Changes a record as its owner.
     * @throws PublishError `INTERNAL_OVERTAKEN` when somebody else owns it by now
     */
    async commit(record: LedgerRecord, change: Change): Promise<LedgerRecord> {
      return await commit(record, change, { orLater: true });
    },

    /**
     * Changes a record without owning it, if nothing happened since it was read. Changes the fence, so that an owner at
     * work is stopped at its next step.
     * @throws PublishError `INTERNAL_OVERTAKEN` when something happened: read again and decide again
     */
    async intervene(record: LedgerRecord, change: Change): Promise<LedgerRecord> {
      return await commit(record, change, { newFence: newFence() });
    },

    /**
     * Leaves a wish on a record, if nothing happened since it was read; the owner at work goes on undisturbed.
     * @throws PublishError `INTERNAL_OVERTAKEN` when something happened: read again and decide again
     */
    async annotate(record: LedgerRecord, change: Change): Promise<LedgerRecord> {
      return await commit(record, change, {});
    },

    /**
     * Notes progress that is no event of its own, and so proves that the caller still owns the record.
     * @throws PublishError `INTERNAL_OVERTAKEN`
     */
    async note(record: LedgerRecord, progress: LedgerProgress = {}, dueAt?: number): Promise<void> {
      const { set } = encodePatch(progress);
      const dueInMs = dueAt === undefined ? undefined : dueAt - clock.now();
      const answer = await runNote(
        { job: keys.job(record.id), due: keys.due },
        { id: record.id, fence: String(record.fence), dueInMs, set },
      );
      if (answer !== 'held') throw new PublishError('INTERNAL_OVERTAKEN', { reason: record.id });
    },

    async read(id: string): Promise<LedgerRecord | undefined> {
      const hash = await redis.hgetall(keys.job(id));
      const flat = Object.entries(hash).flat();
      return flat.length === 0 ? undefined : decodeRecord(flat);
    },

    /** The job that a publish_id of TikTok's belongs to. */
    async idOfPublishId(publishId: string): Promise<string | undefined> {
      return (await redis.get(keys.publishId(publishId))) ?? undefined;
    },

    /** Notes that TikTok reported something of a job. @returns the job, if the publish_id is still its own */
    async noteReport(id: string, publishId: string): Promise<LedgerRecord | undefined> {
      const flat = asArray(await runNoteReport({ job: keys.job(id) }, { publishId, now: String(clock.now()) }));
      return flat.length === 0 ? undefined : decodeRecord(flat);
    },

    /** Deletes a job whose retention is over. @returns false if it changed meanwhile */
    async forget(record: LedgerRecord): Promise<boolean> {
      const answer = await runForget(
        { ...jobKeys(record.id), ...indexKeys(record), ...publishIdKey(record) },
        { id: record.id, revision: String(record.revision) },
      );
      return answer === 1;
    },
  };
}

function publishIdKeyOf(session: Session, keys: Keys): string | undefined {
  const publishId = publishIdOf(session);
  return publishId === undefined ? undefined : keys.publishId(publishId);
}
