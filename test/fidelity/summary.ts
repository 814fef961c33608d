import type { FindingKind } from '../chaos/check-job.ts';
import type { CaseResult } from './fidelity-run.ts';
import type { Combination } from './pairwise.ts';

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
export function summarize(
  results: readonly CaseResult[],
  allPairs: number,
  pairsOf: (combination: Combination) => string[],
): FidelitySummary {
  const played = results.map((result) => result.played);
  const findings = played.flatMap((one) => [...one.findings, ...one.jobs.flatMap((job) => job.findings)]);
  const count = (kind: FindingKind): number => findings.filter((finding) => finding.kind === kind).length;
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  return {
    combinations: results.length,
    pairs: new Set(results.flatMap(({ combination }) => pairsOf(combination))).size,
    allPairs,
    jobs: sum(played.map(({ jobs }) => jobs.length)),
    posts: sum(played.map(({ postCount }) => postCount)),
    lostReplies: sum(played.map(({ lostReplyCount }) => lostReplyCount)),
    kills: sum(played.map(({ killCount }) => killCount)),
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
