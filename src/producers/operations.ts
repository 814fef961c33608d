import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  jobsMeantBy,
  MAX_OPERATION_JOBS,
  type Operation,
  type OperationPreview,
  type OperationRequest,
  type ParsedOperation,
  type PlannedJob,
  parseOperation,
  type StartedOperation,
} from '../core/operation.ts';
import { createTotals, planOperation } from '../core/operation-plan.ts';
import type { Clock } from '../core/ports.ts';
import { DEFAULT_LISTED_JOBS } from '../core/post-limits.ts';
import { postText } from '../core/post-text.ts';
import { PublishError } from '../core/publish-error.ts';
import { checkIdempotencyKey } from '../core/publish-request.ts';
import { sha256Hex } from '../core/request-digest.ts';
import type { FoundJob } from '../ledger/job-search.ts';
import type { LedgerReader } from '../ledger/ledger-reader.ts';
import type { OperationStore } from '../ledger/operations.ts';
import { withRedisErrors } from '../redis/redis-unavailable.ts';
import { type ActorOptions, actorIn } from './actor.ts';

/** Which page of the jobs to show. */
export interface PreviewPage {
  /** Most jobs to show: 1 to 500, 50 by default. */
  readonly limit?: number | undefined;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
  /** Stops the search; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What is done to many jobs at once, each in the way that is safe. Workers carry it out, and nothing is done twice to a job.
 * All calls throw PublishError `REDIS_UNAVAILABLE`.
 */
export interface Operations {
  /**
   * What an operation would do now; changes nothing. The first page has the totals of all jobs.
   * @throws PublishError `INPUT_INVALID`
   */
  preview(request: OperationRequest, page?: PreviewPage): Promise<OperationPreview>;
  /**
   * Starts an operation on the jobs that its filter finds.
   * @throws PublishError `INPUT_INVALID`, `IDEMPOTENCY_CONFLICT`, `OPERATION_LIMIT` while 20 are unfinished, or 10 of one `by`
   */
  start(request: OperationRequest, options?: StartOptions): Promise<StartedOperation>;
  /** The newest 200 operations, newest first. */
  list(): Promise<Operation[]>;
  /** One operation. @throws PublishError `OPERATION_NOT_FOUND` */
  get(id: string): Promise<Operation>;
  /** Ends an operation: jobs that it has not reached stay as they are. One that has ended stays. @throws PublishError `OPERATION_NOT_FOUND` */
  abort(id: string, options?: ActorOptions): Promise<Operation>;
}

/** How to start an operation. */
export interface StartOptions extends ActorOptions {
  /**
   * A text of 1 to 255 characters: the same one with the same request of the same `by` starts one operation, so a call whose
   * answer was lost can be made again. It is known as long as the operation.
   */
  readonly idempotencyKey?: string | undefined;
}

/** What the calls need once there is a connection. */
export interface OperationParts {
  readonly operations: OperationStore;
  readonly reader: Pick<LedgerReader, 'find'>;
  readonly clock: Clock;
}

/** Puts the calls together over a connection that is opened by the first of them. */
export function createOperations(open: () => Promise<OperationParts>): Operations {
  const get: Operations['get'] = async (id) => {
    const { operations } = await open();
    const found = await operations.read(id);
    if (found === undefined) throw new PublishError('OPERATION_NOT_FOUND');
    return found.operation;
  };
  return {
    preview: (request, page = {}) => withRedisErrors(async () => await preview(request, page, await open())),
    list: () => withRedisErrors(async () => await (await open()).operations.list()),
    get: (id) => withRedisErrors(() => get(id)),
    async start(input, options = {}) {
      const by = actorIn(options);
      const { idempotencyKey } = options;
      checkIdempotencyKey(idempotencyKey);
      const request = parseOperation(input);
      return await withRedisErrors(async () => {
        const { operations, reader, clock } = await open();
        // Refuses a filter that cannot be searched by, before anybody waits for it.
        await reader.find(jobsMeantBy(request, clock.now(), { limit: 1 }));
        const id = idempotencyKey === undefined ? randomUUID() : idOfKey(by, idempotencyKey);
        const created = await operations.create(id, request, by);
        const found = await operations.read(id);
        if (found === undefined) throw new PublishError('OPERATION_NOT_FOUND');
        if (!created && !isSame(found.request, request))
          throw new PublishError('IDEMPOTENCY_CONFLICT', {
            reason: `the idempotency key was already used for a different operation (${id})`,
          });
        return { ...found.operation, created };
      });
    },
    async abort(id, options = {}) {
      const by = actorIn(options);
      return await withRedisErrors(async () => {
        await get(id);
        await (await open()).operations.abort(id, by);
        return await get(id);
      });
    },
  };
}

/** The id of the operation that a key starts. */
function idOfKey(by: string | undefined, key: string): string {
  return sha256Hex(JSON.stringify([by ?? null, key])).slice(0, 32);
}

/** As they are stored: what is left out is not there. */
function isSame(one: ParsedOperation, other: ParsedOperation): boolean {
  const stored = (request: ParsedOperation): unknown => JSON.parse(JSON.stringify(request));
  return isDeepStrictEqual(stored(one), stored(other));
}

/** Of what tells which post a job is about. */
const MAX_POST_CHARS = 60;

async function preview(
  input: OperationRequest,
  { limit = DEFAULT_LISTED_JOBS, cursor, signal }: PreviewPage,
  { reader, clock }: Pick<OperationParts, 'reader' | 'clock'>,
): Promise<OperationPreview> {
  const request = parseOperation(input);
  const now = clock.now();
  const plan = ({ record }: FoundJob) => planOperation(record, request, now);
  const page = await reader.find(jobsMeantBy(request, now, { limit, cursor }), signal);
  const shown = {
    jobs: page.found.map((each): PlannedJob => {
      const { id, account, state, request: about } = each.record;
      const { way = null, refusal = null } = plan(each);
      return { id, account, post: postText(about, MAX_POST_CHARS), state, way, refusal };
    }),
    nextCursor: page.nextCursor,
  };
  if (cursor !== undefined) return { jobCount: null, totals: null, ...shown };
  const next = (from: string | null) => reader.find(jobsMeantBy(request, now, { cursor: from ?? undefined }), signal);
  const { add, totals } = createTotals();
  let jobCount = 0;
  for (let { found, nextCursor } = page; ; { found, nextCursor } = await next(nextCursor)) {
    const counted = found.slice(0, MAX_OPERATION_JOBS - jobCount);
    for (const each of counted) add(plan(each));
    jobCount += counted.length;
    if (nextCursor === null || jobCount === MAX_OPERATION_JOBS) return { jobCount, totals: totals(), ...shown };
  }
}
