import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { CaseReport } from './case-report.ts';
import type { Combination } from './pairwise.ts';

/** A case to play. */
export interface CaseOrder {
  readonly index: number;
  readonly seed: number;
  readonly combination: Combination;
}

/** A process of its own that plays cases: simulator, web server and proxies of a case are much work for one. */
export class Lane {
  readonly #child: ChildProcess;

  constructor(programs: string) {
    this.#child = fork(join(programs, 'test', 'fidelity', 'lane-process.js'));
  }

  /** @throws Error when the process ends before the case does */
  async play(order: CaseOrder): Promise<CaseReport> {
    const ended = once(this.#child, 'exit').then(([code]): never => {
      throw new Error(`the process of case ${order.index} ended (${code})`);
    });
    const reported = once(this.#child, 'message').then(([report]): CaseReport => report);
    this.#child.send(order);
    return await Promise.race([reported, ended]);
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}
