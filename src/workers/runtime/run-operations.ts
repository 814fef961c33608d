import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { jobsMeantBy } from '../../core/operation.ts';
import { SECOND_MS } from '../../core/units.ts';
import type { StoredOperation } from '../../ledger/operations.ts';
import { createOutageLog } from '../../observability/outage-log.ts';
import type { ProcessLease } from '../../redis/process-lease.ts';
import type { Needs } from '../deps.ts';

/** How often a process looks for operations that nobody carries out. */
const LOOK_EVERY_MS = SECOND_MS;
/** Jobs changed at the same time. */
const AT_ONCE = 20;

type OperationDeps = Needs<'findJobs' | 'ledgerGuard' | 'log' | 'operateOnJob' | 'operations'>;

/**
 * Carries out operations on many jobs: gathers the jobs, then changes so many in a second. One process does it for each
 * operation; if it dies another goes on after some seconds. Should two do it for a moment, no job is changed twice, since the
 * ledger takes it out of the operation with the change.
 * @returns stops it
 */
export function startOperations(deps: OperationDeps): () => Promise<void> {
  const { operations, ledgerGuard } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;
  const outage = createOutageLog(deps.log);
  const us = randomUUID();
  const running = new Map<string, Promise<void>>();
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
  const mayGoOn = () => !signal.aborted && ledgerGuard.trouble() === undefined;

  async function look(): Promise<void> {
    while (!signal.aborted) {
      try {
        for (const id of mayGoOn() ? await operations.open() : []) {
          if (!running.has(id)) running.set(id, carryOut(id));
        }
        outage.isOver();
      } catch (error) {
        warn(error);
      }
      await pause(LOOK_EVERY_MS);
    }
    await Promise.all(running.values());
  }

  function warn(error: unknown): void {
    if (!signal.aborted) outage.warn(error, {}, 'operation interrupted');
  }

  async function carryOut(id: string): Promise<void> {
    const lease = operations.lease(id, us);
    try {
      while (mayGoOn() && (await lease.hold())) {
        const stored = await operations.read(id);
        if (stored === undefined || stored.operation.state !== 'running') break;
        if (stored.gatherFrom !== undefined) await gather(stored, stored.gatherFrom);
        else if (!(await changeSome(stored, lease))) break;
      }
      await lease.release();
    } catch (error) {
      warn(error);
    } finally {
      running.delete(id);
    }
  }

  async function gather({ operation, request, createdAt }: StoredOperation, from: string): Promise<void> {
    const query = jobsMeantBy(request, createdAt, { cursor: from === '' ? undefined : from });
    const { found, nextCursor } = await deps.findJobs(query);
    const ids = found.map(({ record }) => record.id);
    await operations.gather(operation.id, from, ids, nextCursor);
  }

  /** Changes as many jobs as one second allows, and waits until it is over. @returns false if there are none left */
  async function changeSome(stored: StoredOperation, lease: ProcessLease): Promise<boolean> {
    const { id, ratePerSecond } = stored.operation;
    const startedAt = performance.now();
    const ids = await operations.nextJobs(id, ratePerSecond);
    if (ids.length === 0) {
      await operations.finish(id);
      return false;
    }
    for (let first = 0; first < ids.length; first += AT_ONCE) {
      if (!mayGoOn() || !(await lease.hold())) return false;
      await Promise.all(ids.slice(first, first + AT_ONCE).map((job) => deps.operateOnJob(job, stored)));
    }
    await pause(Math.max(0, startedAt + SECOND_MS - performance.now()));
    return true;
  }

  const looking = look();
  return async () => {
    stopping.abort();
    await looking;
  };
}
