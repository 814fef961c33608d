import { tellJob } from '../chaos/chaos-run.ts';
import type { FindingKind } from '../chaos/check-job.ts';
import type { CaseOrder } from './lane.ts';
import type { PlayedCase } from './play-case.ts';

/** What a lane tells of a case. */
export interface CaseReport {
  readonly index: number;
  /** For people: one line, and everything about what is wrong. */
  readonly lines: readonly string[];
  readonly breaches: readonly FindingKind[];
  readonly counts: {
    readonly jobs: number;
    readonly posts: number;
    readonly lostReplies: number;
    readonly kills: number;
  };
}

/** Sums a case up. */
export function playedReport({
  played,
  lastedMs,
  ...order
}: CaseOrder & { readonly played: PlayedCase; readonly lastedMs: number }): CaseReport {
  const { jobs, findings, postCount, lostReplyCount, killCount } = played;
  return {
    index: order.index,
    lines: [`case ${order.index}: ${Math.round(lastedMs / 1_000)} s, ${statesOf(played)}`, ...wrongIn(order, played)],
    breaches: [...findings, ...jobs.flatMap((job) => job.findings)].map(({ kind }) => kind),
    counts: { jobs: jobs.length, posts: postCount, lostReplies: lostReplyCount, kills: killCount },
  };
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

function wrongIn({ index, seed, combination }: CaseOrder, { jobs, findings, folder }: PlayedCase): string[] {
  const wrong = jobs.filter((job) => job.findings.length > 0);
  if (wrong.length === 0 && findings.length === 0) return [];
  const lines = [
    `!! case ${index}; to repeat it: npm run fidelity -- --seed ${seed} --case ${index}`,
    `   ${JSON.stringify(combination)}`,
    `   the workers' log is kept in ${folder}`,
  ];
  const report = (line: string): void => void lines.push(line);
  for (const { kind, text } of findings) report(`   ${kind}: ${text}`);
  for (const job of wrong) {
    for (const { kind, text } of job.findings) report(`   ${kind}: ${text}`);
    tellJob(job.evidence, report);
  }
  return lines;
}
