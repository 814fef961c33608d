import type { Report } from '../chaos/chaos-run.ts';
import type { CaseReport } from './case-report.ts';
import { FACTORS, QUICK } from './factors.ts';
import { type CaseOrder, Lane } from './lane.ts';
import { type Combination, pairwise } from './pairwise.ts';
import { type FidelitySummary, summarize } from './summary.ts';

export interface FidelityOptions {
  /** Folder of the compiled modules. */
  readonly programs: string;
  readonly seed: number;
  /** Only a few of those that are quick. */
  readonly isShort: boolean;
  /** Only this one, from 0. */
  readonly onlyCase?: number | undefined;
  /** Cases played at the same time. */
  readonly lanes: number;
  readonly report: Report;
  readonly signal?: AbortSignal;
}

/** A combination that was played, and what came of it. */
export interface CaseResult {
  readonly combination: Combination;
  readonly report: CaseReport;
}

const SHORT_CASES = 4;

/** Plays combinations of the simulator's switches, options and faults, and sums up. */
export async function runFidelity(options: FidelityOptions): Promise<FidelitySummary> {
  const { programs, seed, report, signal } = options;
  const all = pairwise(FACTORS, seed, Object.keys(QUICK)).map((combination, index) => ({ index, seed, combination }));
  const waiting = choose(all, options);
  report(
    `seed ${seed}: ${waiting.length} of ${all.length} combinations of ${Object.keys(FACTORS).length} switches, options and faults`,
  );
  const results: CaseResult[] = [];
  const playOn = async (): Promise<void> => {
    const lane = new Lane(programs);
    try {
      for (let order = waiting.shift(); order !== undefined && !signal?.aborted; order = waiting.shift()) {
        const told = await lane.play(order);
        for (const line of told.lines) report(line);
        results.push({ combination: order.combination, report: told });
      }
    } finally {
      await lane.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.lanes, waiting.length) }, playOn));
  return summarize(results);
}

function choose(
  all: readonly CaseOrder[],
  { onlyCase, isShort }: Pick<FidelityOptions, 'onlyCase' | 'isShort'>,
): CaseOrder[] {
  if (onlyCase !== undefined) return all.slice(onlyCase, onlyCase + 1);
  const isQuick = ({ combination }: CaseOrder): boolean =>
    Object.entries(QUICK).every(([name, value]) => combination[name] === value);
  return isShort ? all.filter(isQuick).slice(0, SHORT_CASES) : [...all];
}
