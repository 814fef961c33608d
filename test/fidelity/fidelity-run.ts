import { type Report, tellJob } from '../chaos/chaos-run.ts';
import { FACTORS, QUICK, readCombination } from './factors.ts';
import { allPairs, type Combination, pairsOf, pairwise } from './pairwise.ts';
import { type PlayedCase, playCase } from './play-case.ts';
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

const SHORT_CASES = 4;

/** A combination that was played, and what came of it. */
export interface CaseResult {
  readonly combination: Combination;
  readonly played: PlayedCase;
}

/** Plays combinations of the simulator's switches, options and faults, and sums up. */
export async function runFidelity(options: FidelityOptions): Promise<FidelitySummary> {
  const { seed, report, signal } = options;
  const combinations = pairwise(FACTORS, seed, Object.keys(QUICK));
  const waiting = choose([...combinations.entries()], options);
  report(
    `fidelity, seed ${seed}: ${waiting.length} of ${combinations.length} combinations of ${Object.keys(FACTORS).length} factors`,
  );
  const results: CaseResult[] = [];
  const playOn = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && !signal?.aborted; next = waiting.shift()) {
      const [index, combination] = next;
      const startedAt = performance.now();
      const played = await playCase(options.programs, readCombination(combination), seed * 10_007 + index);
      results.push({ combination, played });
      report(`case ${index}: ${Math.round((performance.now() - startedAt) / 100) / 10} s, ${statesOf(played)}`);
      tellFindings({ index, combination, played }, options);
    }
  };
  await Promise.all(Array.from({ length: options.lanes }, playOn));
  return summarize(results, allPairs(FACTORS).size, pairsOf);
}

function choose(
  all: readonly (readonly [number, Combination])[],
  { onlyCase, isShort }: Pick<FidelityOptions, 'onlyCase' | 'isShort'>,
): (readonly [number, Combination])[] {
  if (onlyCase !== undefined) return all.slice(onlyCase, onlyCase + 1);
  const isQuick = (combination: Combination): boolean =>
    Object.entries(QUICK).every(([name, value]) => combination[name] === value);
  return isShort ? all.filter(([, combination]) => isQuick(combination)).slice(0, SHORT_CASES) : [...all];
}

function statesOf({ jobs, killCount, lostReplyCount }: PlayedCase): string {
  const counts = new Map<string, number>();
  for (const { evidence } of jobs) {
    const state = evidence.job?.state ?? 'FORGOTTEN';
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const states = [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  return `${states}; ${lostReplyCount} replies lost, ${killCount} killed`;
}

function tellFindings(
  { index, combination, played }: { index: number; combination: Combination; played: PlayedCase },
  { seed, report }: FidelityOptions,
): void {
  const wrong = played.jobs.filter(({ findings }) => findings.length > 0);
  if (wrong.length === 0 && played.findings.length === 0) return;
  report(`\n!! case ${index}; to repeat it: npm run fidelity -- --seed ${seed} --case ${index}`);
  report(`   ${JSON.stringify(combination)}`);
  report(`   the workers' log is kept in ${played.folder}`);
  for (const { kind, text } of played.findings) report(`   ${kind}: ${text}`);
  for (const { evidence, findings } of wrong) {
    for (const { kind, text } of findings) report(`   ${kind}: ${text}`);
    tellJob(evidence, report);
  }
}
