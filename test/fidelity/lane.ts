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
  readonly #ended: Promise<unknown>;

  constructor(programs: string) {
    this.#child = fork(join(programs, 'test', 'fidelity', 'lane-process.js'));
    this.#ended = once(this.#child, 'exit');
  }

  /** @throws Error when the process ends before the case does */
  async play(order: CaseOrder): Promise<CaseReport> {
    const reported = once(this.#child, 'message');
    this.#child.send(order);
    const told = await Promise.race([reported, this.#ended.then(() => [])]);
    const [report]: CaseReport[] = told;
    if (report === undefined) throw new Error(`the process of case ${order.index} ended before the case did`);
    return report;
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }
}
