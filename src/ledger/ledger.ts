import { randomInt, randomUUID } from 'node:crypto';
import type { Clock } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import type { TimelineEntry } from '../core/publish-job.ts';
import { canTransition } from '../core/publish-state.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';
import { laneScore } from '../lanes/lanes.ts';
import { type Confirmation, NO_CONFIRMATION } from '../redis/confirmation.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareScript, type RedisClient } from '../redis/lua-script.ts';
import type { Cause, Change, Claim, Run } from './change.ts';
import { encodeEvent } from './event.ts';
import { laneMemberOf } from './lane-member.ts';
import { createLedgerConfirmation } from './ledger-confirmation.ts';
import { decodeRecord, encodePatch, type LedgerPatch, type LedgerProgress, type LedgerRecord } from './record.ts';
import { CLAIM_SCRIPT, COMMIT_SCRIPT, CREATE_SCRIPT, FORGET_SCRIPT, NOTE_SCRIPT, TELL_SCRIPT } from './scripts.ts';
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
  /** Approximate number of events the stream keeps. */
  readonly eventsMaxLength?: number;
}

const DEFAULT_EVENTS_MAX_LENGTH = 100_000;

export type Ledger = ReturnType<typeof createLedger>;

/** The ledger's writing side: every change of a publish job goes through here. */
export function createLedger({
  redis,
  keys,
  clock,
  confirmation = NO_CONFIRMATION,
  eventsMaxLength = DEFAULT_EVENTS_MAX_LENGTH,
}: LedgerOptions) {
  const runCreate = prepareScript(redis, CREATE_SCRIPT);
  const runClaim = prepareScript(redis, CLAIM_SCRIPT);
  const runCommit = prepareScript(redis, COMMIT_SCRIPT);
  const runNote = prepareScript(redis, NOTE_SCRIPT);
  const runTell = prepareScript(redis, TELL_SCRIPT);
  const runForget = prepareScript(redis, FORGET_SCRIPT);

  // ioredis sends a command again when the connection broke before its reply: the name of the call tells the scripts.
  const caller = randomUUID();
  let calls = 0;
  const nextCall = (): string => `${caller}:${++calls}`;

  const jobKeys = (id: string): string[] => [keys.job(id), keys.timeline(id), keys.due, keys.events];
  const indexKeys = (record: LedgerRecord): string[] => [
    keys.allJobs,
    keys.accountJobs(record.account),
    keys.stateJobs(record.state),
  ];
  const laneKeys = ({ account }: LedgerRecord): string[] => [keys.laneWaiting(account), keys.laneAdmitted(account)];
  const idempotencyKeys = ({ idempotencyDigest }: LedgerRecord): string[] =>
    idempotencyDigest === undefined ? [] : [keys.idempotency(idempotencyDigest)];
  const publishIdKeys = ({ publishId }: Pick<LedgerPatch, 'publishId'>): string[] =>
    publishId === undefined ? [] : [keys.publishId(publishId)];
  const timelineEntry = (cause: Cause): string =>
    JSON.stringify({ at: new Date(clock.now()).toISOString(), ...cause } satisfies TimelineEntry);

  async function commit(
    record: LedgerRecord,
    change: Change,
    guard: { revision: string; fence: number | '' },
  ): Promise<LedgerRecord> {
    const isStep = change.goesOnFrom === undefined;
    if (isStep && change.to !== undefined && !canTransition(record.state, change.to)) {
      throw new PublishError('INTERNAL_ERROR', { reason: `a ${record.state} job can't become ${change.to}` });
    }
    const now = clock.now();
    const next: LedgerRecord = { ...record, ...change.patch, state: change.to ?? record.state, updatedAt: now };
    const { set, remove } = encodePatch({ ...change.patch, ...change.goesOnFrom });
    const events = change.event === undefined ? [] : [encodeEvent(change.event, next, now)];
    const callbackKeys = events.length === 0 ? [] : callbackKeysOf(record, keys);
    const answer = await runCommit(
      [
        ...[...jobKeys(record.id), keys.stateJobs(''), keys.polledJobs(record.account)],
        ...publishIdKeys(change.patch ?? {}),
        ...callbackKeys,
      ],
      [
        record.id,
        nextCall(),
        record.fence,
        guard.revision,
        change.to ?? '',
        now,
        (change.dueAt ?? now + SWEEP_AFTER_MS) - now,
        guard.fence,
        eventsMaxLength,
        set.length,
        ...set,
        remove.length,
        ...remove,
        1,
        timelineEntry(change.cause),
        events.length,
        ...events,
        callbackKeys.length,
      ],
    );
    const [outcome, detail, fence, since] = asArray(answer);
    if (outcome === 'committed') {
      const stateSince = since === null ? undefined : Number(since);
      return { ...next, revision: Number(detail), fence: Number(fence), stateSince };
    }
    throw new PublishError(outcome === 'missing' ? 'JOB_NOT_FOUND' : 'INTERNAL_OVERTAKEN', { reason: record.id });
  }

  return {
    ...createSweepList({ redis, keys }),
    ...createLedgerConfirmation({ confirmation, keys }),

    /**
     * Makes a record with its first event and, unless it is scheduled, lets it enter its account's lane.
     * @returns the id that holds the id or idempotency key, and whether the new job waits in its lane
     */
    async create(record: LedgerRecord, cause: Cause): Promise<{ created: boolean; id: string; waits: boolean }> {
      const { set } = encodePatch(omitUndefined(record));
      const dueAt = record.scheduledAt ?? record.createdAt + SWEEP_NEW_AFTER_MS;
      const place = record.state === 'queued' ? laneScore(laneMemberOf(record)) : '';
      const { account } = record;
      const callbackKeys = callbackKeysOf(record, keys);
      const answer = await runCreate(
        [
          ...[...jobKeys(record.id), ...indexKeys(record), ...laneKeys(record), keys.lanes, keys.laneLimit],
          ...[...idempotencyKeys(record), ...callbackKeys],
        ],
        [
          record.id,
          record.createdAt,
          dueAt,
          eventsMaxLength,
          account,
          place,
          set.length,
          ...set,
          1,
          timelineEntry(cause),
          1,
          encodeEvent('publish.queued', record, record.createdAt),
          callbackKeys.length,
        ],
      );
      const [outcome, id, where] = asArray(answer);
      // An id of our own that exists already is our own call, sent again after a lost reply.
      return { created: outcome === 'created' || id === record.id, id: String(id), waits: where === 'waiting' };
    },

    /** Becomes the owner of a record; an earlier owner is fenced out from here on. */
    async claim(id: string, run: Run): Promise<Claim> {
      const [outcome, hash] = asArray(await runClaim([keys.job(id)], [run.entry, run.start, nextCall(), newFence()]));
      if (outcome === 'claimed') return { kind: 'claimed', record: decodeRecord(asArray(hash)) };
      return { kind: outcome === 'missing' ? 'missing' : 'overtaken' };
    },

    /**
     * Changes a record as its owner.
     * @throws PublishError `INTERNAL_OVERTAKEN` when somebody else owns it by now
     */
    async commit(record: LedgerRecord, change: Change): Promise<LedgerRecord> {
      return await commit(record, change, { revision: `${record.revision}+`, fence: '' });
    },

    /**
     * Changes a record without owning it, if nothing happened since it was read. Changes the fence, so that an owner at
     * work is stopped at its next step.
     * @throws PublishError `INTERNAL_OVERTAKEN` when something happened: read again and decide again
     */
    async intervene(record: LedgerRecord, change: Change): Promise<LedgerRecord> {
      return await commit(record, change, { revision: `${record.revision}`, fence: newFence() });
    },

    /**
     * Leaves a wish on a record, if nothing happened since it was read; the owner at work goes on undisturbed.
     * @throws PublishError `INTERNAL_OVERTAKEN` when something happened: read again and decide again
     */
    async annotate(record: LedgerRecord, change: Change): Promise<LedgerRecord> {
      return await commit(record, change, { revision: `${record.revision}`, fence: '' });
    },

    /**
     * Notes progress that is no event of its own, and so proves that the caller still owns the record.
     * @throws PublishError `INTERNAL_OVERTAKEN`
     */
    async note(record: LedgerRecord, progress: LedgerProgress = {}, dueAt?: number): Promise<void> {
      const { set } = encodePatch(progress);
      const dueInMs = dueAt === undefined ? '' : dueAt - clock.now();
      const answer = await runNote([keys.job(record.id), keys.due], [record.id, record.fence, dueInMs, ...set]);
      if (answer !== 'held') throw new PublishError('INTERNAL_OVERTAKEN', { reason: record.id });
    },

    async read(id: string): Promise<LedgerRecord | undefined> {
      const hash = await redis.hgetall(keys.job(id));
      const flat = Object.entries(hash).flat();
      return flat.length === 0 ? undefined : decodeRecord(flat);
    },

    /** How many jobs of an account are polled now. */
    async countPolled(account: string): Promise<number> {
      return await redis.scard(keys.polledJobs(account));
    },

    /** The job that a publish_id of TikTok's belongs to. */
    async idOfPublishId(publishId: string): Promise<string | undefined> {
      return (await redis.get(keys.publishId(publishId))) ?? undefined;
    },

    /** Notes that TikTok reported something of a job. @returns the job, if the publish_id is still its own */
    async tell(id: string, publishId: string): Promise<LedgerRecord | undefined> {
      const flat = asArray(await runTell([keys.job(id)], [publishId, clock.now()]));
      return flat.length === 0 ? undefined : decodeRecord(flat);
    },

    /** Deletes a job whose retention is over. @returns false if it changed meanwhile */
    async forget(record: LedgerRecord): Promise<boolean> {
      const answer = await runForget(
        [
          ...[...jobKeys(record.id), ...indexKeys(record), ...laneKeys(record)],
          ...[...idempotencyKeys(record), ...publishIdKeys(record)],
        ],
        [record.id, record.revision],
      );
      return answer === 1;
    },
  };
}

/** Where the events of a job that has a callback are put in the same step; costs other jobs nothing. */
function callbackKeysOf({ id, request }: LedgerRecord, keys: Keys): string[] {
  return request.callbackUrl === undefined ? [] : [keys.callbackOutbox, keys.undeliveredEvents(id)];
}

/** At random, not counted: after a failover, two servers would count on to the same number for two owners. */
function newFence(): number {
  return randomInt(1, 2 ** 47);
}

function omitUndefined(record: LedgerRecord): Partial<LedgerRecord> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

function asArray(answer: unknown): readonly unknown[] {
  return Array.isArray(answer) ? answer : [];
}
