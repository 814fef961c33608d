import { randomBytes } from 'node:crypto';
import type { EntryScript } from '../core/job-reference.ts';
import type { Clock } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { encodeEvent, UNKNOWN_PART } from '../core/publish-event.ts';
import { canTransition } from '../core/publish-state.ts';
import { publishIdOf, type Session } from '../core/session.ts';
import { Deferral } from '../core/step-interrupt.ts';
import { MINUTE_MS } from '../core/units.ts';
import { TIKTOK_QUOTAS } from '../limits/tiktok-quotas.ts';
import { type Confirmation, NO_CONFIRMATION } from '../redis/confirmation.ts';
import type { Keys } from '../redis/keys.ts';
import { asArray, prepareNamedScript, type RedisClient, type RunNamedScript } from '../redis/lua-script.ts';
import type { Change, Committed, EntryToAdd } from './change.ts';
import { newFence, prepareClaim } from './claim.ts';
import { prepareCreate } from './create.ts';
import { encodePatch } from './encode-patch.ts';
import { createIndexBuild } from './index-build.ts';
import { indexPlaces, placesIn } from './index-names.ts';
import { jobEvent } from './job-view.ts';
import { createLedgerConfirmation } from './ledger-confirmation.ts';
import { wayField } from './operations.ts';
import { decodeRecord, type LedgerPatch, type LedgerProgress, type LedgerRecord } from './record.ts';
import { COMMIT_SCRIPT, FORGET_SCRIPT, NOTE_REPORT_SCRIPT, NOTE_SCRIPT } from './scripts.ts';
import { createSweepList, sweepAt } from './sweep-list.ts';
import { encodeFact } from './timeline.ts';

/** After how long the sweep looks at a job that nothing else has touched. */
export const SWEEP_AFTER_MS = MINUTE_MS;

export interface LedgerOptions {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
  /** Proves that writes survive a failover; nothing is proven by default. */
  readonly confirmation?: Confirmation;
}

export type Ledger = ReturnType<typeof createLedger>;

/** The ledger's writing side: every change of a publish job goes through here. */
export function createLedger({ redis, keys, clock, confirmation = NO_CONFIRMATION }: LedgerOptions) {
  const runCommit = prepareNamedScript(redis, `local addEntry${COMMIT_SCRIPT}`);
  const runCommitWithEntry = new Map<EntryScript, RunNamedScript>();
  const runNote = prepareNamedScript(redis, NOTE_SCRIPT);
  const runNoteReport = prepareNamedScript(redis, NOTE_REPORT_SCRIPT);
  const runForget = prepareNamedScript(redis, FORGET_SCRIPT);

  // ioredis sends a command again when the connection broke before its reply: the name of the call tells the scripts.
  const caller = randomBytes(9).toString('base64url');
  let calls = 0;
  const nextCall = (): string => `${caller}:${++calls}`;

  const jobKeys = (id: string) => ({ job: keys.job(id), timeline: keys.timeline(id), due: keys.due });
  const laneKeys = (account: string) => ({
    laneWaiting: keys.laneWaiting(account),
    laneAdmitted: keys.laneAdmitted(account),
  });
  const operationKeys = (id: string) => ({ operation: keys.operation(id), operationJobs: keys.operationJobs(id) });
  const lanesKeys = { lanes: keys.lanes, laneLimit: keys.laneLimit, jobs: keys.job('') };
  /** Where a publish_id that is new to the job finds it. */
  const publishIdKey = ({ session: before }: LedgerRecord, { session }: Pick<LedgerPatch, 'session'>) => ({
    publishId:
      session === undefined || publishIdOf(session) === publishIdOf(before) ? undefined : publishIdKeyOf(session, keys),
  });
  /** Where it is noted that TikTok let a post begin. */
  const begunKeys = ({ account, mode }: LedgerRecord) => ({
    laneDelay: keys.laneDelay(account),
    ...(mode === 'direct' && {
      ...{ directPosts: keys.directPosts(account), activeUsers: keys.activeUsers },
      ...{ facts: keys.facts, letIn: keys.letIn },
    }),
  });
  /** Where an event goes; those of a job that has a callback into the outbox, too, which costs other jobs nothing. */
  const eventKeys = ({ id, request }: LedgerRecord) => ({
    events: keys.events,
    ...(request.callbackUrl !== undefined && { outbox: keys.callbackOutbox, undelivered: keys.undeliveredEvents(id) }),
  });
  const history = (record: LedgerRecord, { cause, also, event, operation }: Change) => ({
    at: new Date(record.updatedAt).toISOString(),
    facts: [cause, ...(also ? [also] : [])].map((fact) => encodeFact(fact, operation?.id)),
    event: event === undefined ? undefined : encodeEvent(jobEvent(event, record)),
    revisionMark: UNKNOWN_PART,
  });

  function commitScript(script: EntryScript | undefined): RunNamedScript {
    if (script === undefined) return runCommit;
    const run = runCommitWithEntry.get(script) ?? prepareNamedScript(redis, `${script.lua}${COMMIT_SCRIPT}`);
    runCommitWithEntry.set(script, run);
    return run;
  }

  async function commit(
    record: LedgerRecord,
    change: Change,
    guard: { orLater?: true; newFence?: string; leavesLane?: true; entry?: EntryToAdd | undefined },
  ): Promise<Committed> {
    const isStep = change.goesOnFrom === undefined;
    if (isStep && change.to !== undefined && !canTransition(record.state, change.to)) {
      throw new PublishError('INTERNAL_ERROR', { reason: `a job cannot change from ${record.state} to ${change.to}` });
    }
    const now = clock.now();
    const next: LedgerRecord = { ...record, ...change.patch, state: change.to ?? record.state, updatedAt: now };
    const { leavesLane, entry, ...guards } = guard;
    const { set, remove } = encodePatch(change.patch ?? {});
    const answer = await commitScript(entry?.script)(
      {
        ...jobKeys(record.id),
        ...eventKeys(record),
        ...publishIdKey(record, change.patch ?? {}),
        ...(change.hasBegun === true && begunKeys(record)),
        ...(leavesLane === true && { ...laneKeys(record.account), ...lanesKeys }),
        ...(change.withinQuota !== undefined && { booked: keys.reservations(record.account, change.withinQuota) }),
        queue: entry?.script.queueKey,
        jobIndex: keys.jobIndex(''),
        ...(change.patch?.postIds !== undefined && { postId: keys.postId('') }),
        polledJobs: keys.polledJobs(record.account),
        ...(change.operation !== undefined && operationKeys(change.operation.id)),
      },
      {
        id: record.id,
        account: record.account,
        mode: record.mode,
        call: nextCall(),
        fence: String(record.fence),
        revision: String(record.revision),
        ...guards,
        ...(change.withinQuota !== undefined && TIKTOK_QUOTAS[change.withinQuota]),
        entry: entry?.script.argumentsOf({ id: record.id, account: record.account, delayMs: entry.delayMs }),
        to: change.to,
        now: String(now),
        dueInMs: sweepAt(next, change.dueAt ?? now + SWEEP_AFTER_MS) - now,
        remove,
        goesOnFrom: change.goesOnFrom?.revision,
        ...placesIn(change.patch ?? {}),
        way: change.operation && wayField(change.operation.way),
        ...history(next, change),
      },
      set,
    );
    const [outcome, revision, fence, since, jobsToWake, isEntered] = asArray(answer);
    if (outcome === 'committed') {
      const stateSince = since === null ? undefined : Number(since);
      const committed = { ...next, revision: Number(revision), fence: Number(fence), stateSince };
      return { record: committed, jobsToWake: asArray(jobsToWake).map(String), isEntered: isEntered === 1 };
    }
    if (outcome === 'wait' && change.withinQuota !== undefined) {
      const at = clock.now() + Number(revision);
      throw new Deferral('rate_limit', at, { endpoint: change.withinQuota, at });
    }
    throw new PublishError(outcome === 'missing' ? 'JOB_NOT_FOUND' : 'INTERNAL_OVERTAKEN', { reason: record.id });
  }

  return {
    ...createSweepList({ redis, keys }),
    ...createIndexBuild({ redis, keys }),
    ...createLedgerConfirmation({ confirmation, keys }),
    ...prepareClaim({ redis, keys, clock, nextCall }),
    create: prepareCreate({ redis, keys }),
    /** Whether others may rely on a write only after it was confirmed. */
    needsConfirmation: confirmation !== NO_CONFIRMATION,

    /**
     * Changes a record as its owner.
     * @throws PublishError `INTERNAL_OVERTAKEN` when somebody else owns it by now; Deferral until the call that was booked,
     * where the change needs one of a quota that is used up
     */
    async commit(record: LedgerRecord, change: Change): Promise<LedgerRecord> {
      return (await commit(record, change, { orLater: true })).record;
    },

    /** The same, and the job leaves its account's lane, and gets an entry. @returns also the jobs that have to be woken */
    async commitAndLeave(record: LedgerRecord, change: Change, entry?: EntryToAdd): Promise<Committed> {
      return await commit(record, change, { orLater: true, leavesLane: true, entry });
    },

    /**
     * Changes a record without owning it, if nothing happened since it was read. Changes the fence, so that an owner at
     * work is stopped at its next step.
     * @throws PublishError `INTERNAL_OVERTAKEN` when something happened: read again and decide again
     */
    async intervene(record: LedgerRecord, change: Change): Promise<LedgerRecord> {
      return (await commit(record, change, { newFence: newFence() })).record;
    },

    /**
     * Leaves a wish on a record, if nothing happened since it was read; the owner at work goes on undisturbed.
     * @throws PublishError `INTERNAL_OVERTAKEN` when something happened: read again and decide again
     */
    async annotate(record: LedgerRecord, change: Change): Promise<LedgerRecord> {
      return (await commit(record, change, {})).record;
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
        { id: record.id, fence: String(record.fence), dueInMs },
        set,
      );
      if (answer !== 'held') throw new PublishError('INTERNAL_OVERTAKEN', { reason: record.id });
    },

    async read(id: string): Promise<LedgerRecord | undefined> {
      const hash = await redis.hgetall(keys.job(id));
      const flat = Object.entries(hash).flat();
      return flat.length === 0 ? undefined : decodeRecord(id, flat);
    },

    /** The job that was enqueued with an idempotency key, by its digest. */
    async idOfIdempotencyKey(digest: string): Promise<string | undefined> {
      return (await redis.get(keys.idempotency(digest))) ?? undefined;
    },

    /** The job that a publish_id of TikTok's belongs to. */
    async idOfPublishId(publishId: string): Promise<string | undefined> {
      return (await redis.get(keys.publishId(publishId))) ?? undefined;
    },

    /** Notes that TikTok reported something of a job. @returns the job, if the publish_id is still its own */
    async noteReport(id: string, publishId: string): Promise<LedgerRecord | undefined> {
      const flat = asArray(await runNoteReport({ job: keys.job(id) }, { publishId, now: String(clock.now()) }));
      return flat.length === 0 ? undefined : decodeRecord(id, flat);
    },

    /** Deletes a job whose retention is over. @returns false if it changed meanwhile */
    async forget(record: LedgerRecord): Promise<boolean> {
      const pointers = [
        record.idempotencyDigest === undefined ? undefined : keys.idempotency(record.idempotencyDigest),
        publishIdKeyOf(record.session, keys),
        ...record.postIds.map(keys.postId),
      ].filter((key) => key !== undefined);
      const answer = await runForget(
        {
          ...{ ...jobKeys(record.id), ...laneKeys(record.account) },
          ...{ start: keys.start, allJobs: keys.allJobs, jobIndex: keys.jobIndex('') },
        },
        {
          ...{ id: record.id, revision: String(record.revision) },
          pointers: pointers.map((key) => key.slice(keys.start.length)),
          indexes: indexPlaces(record).map(({ name }) => name),
        },
      );
      return answer === 1;
    },
  };
}

function publishIdKeyOf(session: Session, keys: Keys): string | undefined {
  const publishId = publishIdOf(session);
  return publishId === undefined ? undefined : keys.publishId(publishId);
}
