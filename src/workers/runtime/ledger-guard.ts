import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { judgeLedger, LEDGER_HEARTBEAT_MS, type LedgerVersion, leastCount } from '../../core/ledger-version.ts';
import type { AnsweredVersion } from '../../ledger/claim.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { describeRestore, ownNotice, WAY_OUT } from '../../ledger/restore-notice.ts';
import type { VersionFile } from '../../ledger/version-file.ts';
import type { FoundVersion, LedgerVersionStore } from '../../ledger/version-store.ts';

export type LedgerGuard = ReturnType<typeof createLedgerGuard>;

interface GuardParts {
  readonly versions: LedgerVersionStore;
  /** Without it, a restart forgets what was seen. */
  readonly file: VersionFile | undefined;
  readonly log: Logger;
}

/** Redis was not asked. */
const UNSEEN = { id: undefined, count: 0 } as const;

/** Keeps a process from acting on a ledger that was set back to an older state. */
export function createLedgerGuard({ versions, file, log }: GuardParts) {
  let last: LedgerVersion | undefined;
  let hasRead = false;
  let isFileProblemLogged = false;
  let trouble: string | undefined;

  async function look(): Promise<void> {
    if (!hasRead) last = await file?.read();
    hasRead = true;
    const found = await versions.look(last);
    const own = ownNotice(last, found);
    if (own !== undefined) await versions.addNotice(own.seen, own.found);
    const notice = own ?? found.notices.find(({ everybody }) => everybody);
    if (notice !== undefined) {
      setTrouble(describeRestore(notice));
      return;
    }
    const isNew = judgeLedger(last, found) === 'new';
    await accept(isNew && found.version === undefined ? await versions.begin() : found, isNew);
  }

  /** Logged once: it may last for hours. */
  function setTrouble(reason: string): void {
    if (trouble === undefined) log.error({ code: 'REDIS_WENT_BACK', reason, advice: WAY_OUT }, 'workers take no jobs');
    trouble = reason;
  }

  async function accept({ version }: FoundVersion, isNew: boolean): Promise<void> {
    if (trouble !== undefined) log.info('ledger is valid or was accepted, workers take jobs again');
    trouble = undefined;
    if (isNew && last !== undefined) log.info('ledger is new, it has no earlier jobs');
    if (version === undefined) return;
    if (last?.id === version.id && (last.count >= version.count || !(await versions.isLasting(version)))) return;
    last = version;
    await write(version);
  }

  async function write(version: LedgerVersion): Promise<void> {
    try {
      await file?.write(version);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const what = 'last seen ledger version cannot be saved, it is lost on restart';
      if (!isFileProblemLogged) log.warn({ file: file?.path, reason }, what);
      isFileProblemLogged = true;
    }
  }

  /** Whether a version is worth a closer look. */
  const mayBeRestored = (now: AnsweredVersion): boolean =>
    last !== undefined && (now.id !== last.id || now.count < leastCount(last));

  async function lookOn(stopped: AbortSignal): Promise<void> {
    for (let isLast = false; !isLast; ) {
      await sleep(LEDGER_HEARTBEAT_MS / 2, undefined, { signal: stopped }).catch(() => undefined);
      isLast = stopped.aborted;
      // The sweep reports a Redis that is down.
      await look().catch(() => undefined);
    }
  }

  return {
    /** Looks at the ledger's version. Called before the first job, and before each sweep. */
    look,
    /**
     * Looks twice a heartbeat, also during a long sweep or shutdown, because the age of a backup is counted in heartbeats.
     * @returns stops it after a last look, which is saved for the next start
     */
    watch(): () => Promise<void> {
      const stopping = new AbortController();
      const watching = lookOn(stopping.signal);
      return async () => {
        stopping.abort();
        await watching;
      };
    },
    /** Why no job may be taken now. */
    trouble: (): string | undefined => (trouble === undefined ? undefined : `${trouble}. ${WAY_OUT}`),
    /** A ledger that lets nobody own a job while there is trouble: each claim looks at the version again. */
    protect: (ledger: Ledger): Ledger => ({
      ...ledger,
      async claim(...claimed) {
        if (trouble !== undefined) return { kind: 'overtaken', version: UNSEEN };
        const claim = await ledger.claim(...claimed);
        // A Redis that was restored a moment ago is noticed before anything is done with its record.
        if (mayBeRestored(claim.version)) await look();
        return trouble === undefined ? claim : { kind: 'overtaken', version: claim.version };
      },
    }),
  };
}
