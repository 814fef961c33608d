import { readFileSync } from 'node:fs';

/** What the bench gave this program. */
export function settingsOf<Settings>(): Settings {
  return JSON.parse(process.env.BENCH_SETTINGS ?? '{}') as Settings;
}

/** Answers the bench's questions; it ends the program by a signal. */
export function serveParent(answers: Readonly<Record<string, (parameter: never) => unknown>>): void {
  process.on('message', ({ id, question, parameter }: { id: number; question: string; parameter: never }) => {
    Promise.resolve()
      .then(() => (question === 'ready' ? true : answers[question]?.(parameter)))
      .then(
        (answer) => process.send?.({ id, answer }),
        (error: unknown) => process.send?.({ id, error: String(error instanceof Error ? error.stack : error) }),
      );
  });
}

/** What something took. */
export interface Cost {
  readonly ms: number;
  readonly cpuMs: number;
}

export async function measured(run: () => Promise<unknown>): Promise<Cost> {
  const [begunAt, cpuBefore] = [performance.now(), cpuMs()];
  await run();
  return { ms: performance.now() - begunAt, cpuMs: cpuMs() - cpuBefore };
}

/** CPU time of this process so far (ms). */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** The most memory that this process ever held. Linux tells; `maxRSS` would count the parent's memory, too. */
export function peakRssBytes(): number {
  const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kibibytes) * 1_024;
}
