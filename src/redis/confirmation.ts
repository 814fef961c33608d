import { setTimeout as sleep } from 'node:timers/promises';
import { orLate } from '../core/deadline.ts';
import { PublishError } from '../core/publish-error.ts';
import { SECOND_MS } from '../core/units.ts';

/** A field of a hash by which a write is recognised: it has this value (`''`: there is none), or at least this number. */
export type WrittenFact = { readonly key: string; readonly field: string } & (
  | { readonly is: string }
  | { readonly atLeast: number }
);

/** What became of writes: `missing` when they are not on the present master, or somebody has changed them since. */
export type Confirmed = 'confirmed' | 'missing';

/** Proves that writes are on the present master and on replicas of it, so that they survive a failover. */
export interface Confirmation {
  /**
   * Confirms writes that were acknowledged, each by a fact that it left behind; without facts, that writes can be
   * confirmed now.
   * @throws PublishError `REDIS_NOT_REPLICATED` when that could not be proven in time: a failover may lose them
   */
  confirm(facts: readonly WrittenFact[]): Promise<Confirmed>;
  close(): Promise<void>;
}

/** For a Redis without replicas: what it acknowledged counts. */
export const NO_CONFIRMATION: Confirmation = { confirm: async () => 'confirmed', close: async () => undefined };

/** The server that was looked at has been replaced. */
export class NotTheMasterError extends Error {}

/** One look at the present master. */
export interface ConfirmationRound {
  /** Whether each fact is there, once replicas have it. @throws Error why it can't be said */
  look(facts: readonly WrittenFact[]): Promise<boolean[]>;
  /** Finds the master anew before the next look. */
  reconnect(): void;
  close(): Promise<void>;
}

/** How long one look may take: the waits for replicas and one for sentinels fit into it (ms). */
const LOOK_MS = 2_500;
/** How long looks are repeated: time to find another master (ms). */
const PATIENCE_MS = 5 * SECOND_MS;
const PAUSE_MS = 100;
/** Connecting again takes a while. */
const REPORT_STALE_EVERY_MS = 2 * SECOND_MS;

interface Waiting {
  readonly facts: readonly WrittenFact[];
  readonly resolve: (outcome: Confirmed) => void;
  readonly reject: (error: PublishError) => void;
}

/**
 * Confirms writes in groups: while one look is under way, the next group gathers.
 * @param onStale called when other connections of this process may still lead to a server that was replaced
 */
export function createConfirmation(round: ConfirmationRound, onStale: () => void = () => undefined): Confirmation {
  const closing = new AbortController();
  let waiting: Waiting[] = [];
  let running = false;
  let staleReportedAt = Number.NEGATIVE_INFINITY;

  function reportStale(): void {
    if (performance.now() - staleReportedAt < REPORT_STALE_EVERY_MS) return;
    staleReportedAt = performance.now();
    onStale();
  }

  async function runGroups(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      await runGroup(group);
    }
    running = false;
  }

  async function runGroup(group: readonly Waiting[]): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    let trouble: unknown;
    do {
      try {
        const answers = await inTime(round.look(group.flatMap(({ facts }) => facts)));
        if (answers.includes(false)) reportStale();
        settle(group, answers);
        return;
      } catch (error) {
        trouble = error;
        if (error instanceof NotTheMasterError) reportStale();
        round.reconnect();
        await sleep(PAUSE_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    } while (!closing.signal.aborted && performance.now() < deadline);
    for (const { reject } of group) reject(notReplicated(trouble));
  }

  return {
    async confirm(facts) {
      return await new Promise((resolve, reject) => {
        waiting.push({ facts, resolve, reject });
        if (!running) void runGroups();
      });
    },
    async close() {
      closing.abort();
      await round.close();
    },
  };
}

function settle(group: readonly Waiting[], answers: readonly boolean[]): void {
  let at = 0;
  for (const { facts, resolve } of group) {
    const isThere = answers.slice(at, at + facts.length).every(Boolean);
    at += facts.length;
    resolve(isThere ? 'confirmed' : 'missing');
  }
}

/** A server that fell silent must not hold up those that wait. */
function inTime<T>(looking: Promise<T>): Promise<T> {
  return orLate(looking, {
    withinMs: LOOK_MS,
    late: () => {
      throw new Error(`Redis did not respond within ${LOOK_MS} ms`);
    },
  });
}

/** Without the cause: the log would say its text twice. */
function notReplicated(cause: unknown): PublishError {
  const reason = cause instanceof Error ? cause.message : 'the confirmation could not be verified';
  return new PublishError('REDIS_NOT_REPLICATED', { reason });
}
