import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { SETTINGS_VARIABLE } from './process-settings.ts';
import { type Notice, noticeSchema, type Trap } from './traps.ts';

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that is there to be killed. */
export interface ChaosProcess {
  readonly pid: number;
  /** Everything it told so far. */
  readonly notices: readonly Notice[];
  readonly ended: Promise<ProcessEnd>;
  hasEnded(): boolean;
  /** Sets traps in place of those that have not acted yet. */
  arm(traps: readonly Trap[]): void;
  signal(signal: NodeJS.Signals): void;
  /**
   * The first notice, told already or to come, that passes.
   * @throws Error when the process ends without it
   */
  waitFor(isWanted: (notice: Notice) => boolean): Promise<Notice>;
}

/** Starts a compiled module of test/chaos as a process of its own. */
export function startChaosProcess(
  module: string,
  { settings, environment = {} }: { settings: unknown; environment?: Readonly<Record<string, string>> },
  onNotice: (notice: Notice) => void = () => undefined,
): ChaosProcess {
  const child = spawn(process.execPath, [module], {
    env: { PATH: process.env.PATH, ...environment, [SETTINGS_VARIABLE]: JSON.stringify(settings) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const notices: Notice[] = [];
  const listeners = new Set<(notice: Notice) => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const notice = noticeSchema.parse(JSON.parse(line));
    notices.push(notice);
    onNotice(notice);
    for (const listener of listeners) listener(notice);
  });
  // It may die while we write to it.
  child.stdin.on('error', () => undefined);
  const ended = endOf(child);
  return {
    pid: child.pid ?? 0,
    notices,
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    arm: (traps) => void child.stdin.write(`${JSON.stringify(traps)}\n`),
    signal: (signal) => void child.kill(signal),
    waitFor(isWanted) {
      const told = notices.find(isWanted);
      if (told !== undefined) return Promise.resolve(told);
      return new Promise((resolve, reject) => {
        const listener = (notice: Notice): void => {
          if (!isWanted(notice)) return;
          listeners.delete(listener);
          resolve(notice);
        };
        listeners.add(listener);
        void ended.then(({ code, signal }) => {
          if (listeners.delete(listener)) reject(new Error(`the process ended before (${signal ?? code})`));
        });
      });
    },
  };
}

async function endOf(child: ChildProcess): Promise<ProcessEnd> {
  // `close` and not `exit`: its last words come before.
  await once(child, 'close');
  return { code: child.exitCode, signal: child.signalCode };
}
