import type { FindingKind } from '../chaos/check-job.ts';
import type { CaseReport } from './case-report.ts';
import { FACTORS } from './factors.ts';
import type { CaseResult } from './fidelity-run.ts';
import { allPairs, pairsOf } from './pairwise.ts';

/** What came out of a run. */
export interface FidelitySummary {
  readonly combinations: number;
  readonly pairs: number;
  readonly allPairs: number;
  readonly jobs: number;
  readonly posts: number;
  readonly lostReplies: number;
  readonly kills: number;
  /** Each kind must be zero. */
  readonly breaches: Readonly<Record<FindingKind, number>>;
}

/** Sums a run up. */
export function summarize(results: readonly CaseResult[]): FidelitySummary {
  const reports = results.map(({ report }) => report);
  const count = (kind: FindingKind): number =>
    reports.flatMap(({ breaches }) => breaches).filter((one) => one === kind).length;
  const sum = (name: keyof CaseReport['counts']): number =>
    reports.reduce((total, { counts }) => total + counts[name], 0);
  return {
    combinations: results.length,
    pairs: new Set(results.flatMap(({ combination }) => pairsOf(combination))).size,
    allPairs: allPairs(FACTORS).size,
    ...{ jobs: sum('jobs'), posts: sum('posts'), lostReplies: sum('lostReplies'), kills: sum('kills') },
    breaches: {
      ...{ duplicate: count('duplicate'), forgotten: count('forgotten'), stuck: count('stuck'), loss: count('loss') },
      ...{ wrong_state: count('wrong_state'), bytes: count('bytes'), rule: count('rule'), process: count('process') },
    },
  };
}

/** What must be zero for a run to pass. */
export function breachCount({ breaches }: FidelitySummary): number {
  return Object.values(breaches).reduce((total, count) => total + count, 0);
}

/** The summary for a terminal. */
export function summaryText(summary: FidelitySummary): string {
  const { combinations, pairs, allPairs, jobs, posts, lostReplies, kills, breaches } = summary;
  const kinds = Object.entries(breaches).map(([kind, count]) => `${kind} ${count}`);
  return [
    `combinations   ${combinations}`,
    `pairs covered  ${pairs} of ${allPairs}`,
    `jobs           ${jobs}`,
    `posts, drafts  ${posts}`,
    `lost replies   ${lostReplies}`,
    `workers killed ${kills}`,
    `breaches       ${breachCount(summary)} (${kinds.join(', ')})`,
  ].join('\n');
}
