import type { Logger } from 'pino';
import { judgeLedger, type LedgerSight, MAX_LOST_BEATS } from '../core/ledger-sight.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Doubt, FoundMark, LedgerMark } from '../ledger/ledger-mark.ts';
import type { SightFile } from '../ledger/sight-file.ts';

/** Sights are written down this often, so that a restart forgets less than a restored backup would lack. */
const WRITE_EVERY_BEATS = MAX_LOST_BEATS / 2;

/** What a person does about it. */
export const WAY_OUT =
  'No job is taken until you restore what is newer, or run `tiktok-publisher ledger accept`, which says what it would do.';

/** Keeps a process from acting on a ledger that was set back to an older state. */
export interface LedgerGuard {
  /** Looks at the ledger's mark. Called before the first job, and every few seconds. */
  look(): Promise<void>;
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
  let written: LedgerSight | undefined;
  let hasRead = false;
  let isFileTold = false;
  let trouble: string | undefined;

  async function look(): Promise<void> {
    if (!hasRead) written = last = await file?.read();
    hasRead = true;
    const found = await mark.look();
    const own = ownDoubt(last, found);
    if (own !== undefined) await mark.doubt(own.seen, own.found);
    const doubt = own ?? found.doubts.find(({ everybody }) => everybody);
    if (doubt !== undefined) {
      tell(describeDoubt(doubt.seen, doubt.found));
      return;
    }
    const isNew = judgeLedger(last, found) === 'new';
    await accept(isNew && found.sight === undefined ? await mark.begin() : found, isNew);
  }

  /** Once: what lasts for hours need not be read a thousand times. */
  function tell(reason: string): void {
    if (trouble === undefined) log.error({ code: 'REDIS_WENT_BACK', reason, advice: WAY_OUT }, 'no jobs are taken');
    trouble = reason;
  }

  async function accept({ sight }: FoundMark, isNew: boolean): Promise<void> {
    if (trouble !== undefined) log.info('the ledger is in order or was accepted, jobs are taken again');
    trouble = undefined;
    if (isNew && last !== undefined) log.info('the ledger is a new one, without the jobs of before');
    if (sight === undefined) return;
    if (last?.id !== sight.id || last.count < sight.count) last = sight;
    if (written?.id !== last.id || written.count + WRITE_EVERY_BEATS <= last.count) await write(last);
  }

  async function write(sight: LedgerSight): Promise<void> {
    try {
      await file?.write(sight);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const what = 'what was last seen of the ledger cannot be kept, so a restart forgets it';
      if (!isFileTold) log.warn({ file: file?.path, reason }, what);
      isFileTold = true;
    }
    written = sight;
  }

  /** Whether a mark is worth a closer look. */
  const isDoubtful = (now: { readonly id: string | undefined; readonly count: number }): boolean =>
    last !== undefined && (now.id !== last.id || now.count < last.count - MAX_LOST_BEATS);

  return {
    look,
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

/** What is doubtful about a ledger by what was seen of it last. */
export function ownDoubt(seen: LedgerSight | undefined, found: FoundMark): Pick<Doubt, 'seen' | 'found'> | undefined {
  if (seen === undefined || judgeLedger(seen, found) !== 'went_back') return undefined;
  return { seen, found: found.sight };
}

/** What happened, for people. */
export function describeDoubt(seen: LedgerSight, found: LedgerSight | undefined): string {
  const state = found === undefined ? 'a state of before it had a mark' : sightText(found);
  return `Redis was set back: workers last saw ${sightText(seen)}, and it now holds ${state}`;
}

function sightText({ id, count, at }: LedgerSight): string {
  return `beat ${count} of ledger ${id.slice(0, 8)}, of ${new Date(at).toISOString()}`;
}
