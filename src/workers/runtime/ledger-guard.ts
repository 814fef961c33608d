import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { BEAT_MS, judgeLedger, type LedgerSight, leastCount } from '../../core/ledger-sight.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { describeDoubt, ownDoubt, WAY_OUT } from '../../ledger/ledger-doubt.ts';
import type { FoundMark, LedgerMark } from '../../ledger/ledger-mark.ts';
import type { SightFile } from '../../ledger/sight-file.ts';

/** Keeps a process from acting on a ledger that was set back to an older state. */
export interface LedgerGuard {
  /** Looks at the ledger's mark. Called before the first job, and before each sweep. */
  look(): Promise<void>;
  /**
   * Looks twice a beat, however long a sweep or the end of a process takes: what a backup lacks is counted in beats.
   * @returns stops it after a last look, which is written down for the next start
   */
  watch(): () => Promise<void>;
  /** Why no job may be taken now. */
  trouble(): string | undefined;
  /** A ledger that lets nobody own a job while there is trouble: each claim looks at the mark again. */
  protect(ledger: Ledger): Ledger;
}

interface GuardParts {
  readonly mark: LedgerMark;
  /** Without it, a restart forgets what was seen. */
  readonly file: SightFile | undefined;
  readonly log: Logger;
}

/** Makes the guard of one process. */
export function createLedgerGuard({ mark, file, log }: GuardParts): LedgerGuard {
  let last: LedgerSight | undefined;
  let hasRead = false;
  let isFileTold = false;
  let trouble: string | undefined;

  async function look(): Promise<void> {
    if (!hasRead) last = await file?.read();
    hasRead = true;
    const found = await mark.look(last);
    const own = ownDoubt(last, found);
    if (own !== undefined) await mark.doubt(own.seen, own.found);
    const doubt = own ?? found.doubts.find(({ everybody }) => everybody);
    if (doubt !== undefined) {
      tell(describeDoubt(doubt));
      return;
    }
    const isNew = judgeLedger(last, found) === 'new';
    await accept(isNew && found.sight === undefined ? await mark.begin() : found, isNew);
  }

  /** Once: what lasts for hours need not be read a thousand times. */
  function tell(reason: string): void {
    if (trouble === undefined) log.error({ code: 'REDIS_WENT_BACK', reason, advice: WAY_OUT }, 'workers take no jobs');
    trouble = reason;
  }

  async function accept({ sight }: FoundMark, isNew: boolean): Promise<void> {
    if (trouble !== undefined) log.info('ledger is valid or was accepted, workers take jobs again');
    trouble = undefined;
    if (isNew && last !== undefined) log.info('ledger is new, it has no earlier jobs');
    if (sight === undefined) return;
    if (last?.id === sight.id && (last.count >= sight.count || !(await mark.isLasting(sight)))) return;
    last = sight;
    await write(sight);
  }

  async function write(sight: LedgerSight): Promise<void> {
    try {
      await file?.write(sight);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const what = 'last seen ledger version cannot be saved, it is lost on restart';
      if (!isFileTold) log.warn({ file: file?.path, reason }, what);
      isFileTold = true;
    }
  }

  /** Whether a mark is worth a closer look. */
  const isDoubtful = (now: { readonly id: string | undefined; readonly count: number }): boolean =>
    last !== undefined && (now.id !== last.id || now.count < leastCount(last));

  async function lookOn(stopped: AbortSignal): Promise<void> {
    for (let isLast = false; !isLast; ) {
      await sleep(BEAT_MS / 2, undefined, { signal: stopped }).catch(() => undefined);
      isLast = stopped.aborted;
      // A Redis that is away is told of by the sweep.
      await look().catch(() => undefined);
    }
  }

  return {
    look,
    watch() {
      const stopping = new AbortController();
      const watching = lookOn(stopping.signal);
      return async () => {
        stopping.abort();
        await watching;
      };
    },
    trouble: () => (trouble === undefined ? undefined : `${trouble}. ${WAY_OUT}`),
    protect: (ledger) => ({
      ...ledger,
      async claim(id, run) {
        if (trouble !== undefined) return { kind: 'overtaken' };
        // Sent together: a Redis that was restored a moment ago is noticed before anything is done with its record.
        const [claim, now] = await Promise.all([ledger.claim(id, run), mark.peek()]);
        if (isDoubtful(now)) await look();
        return trouble === undefined ? claim : { kind: 'overtaken' };
      },
    }),
  };
}
