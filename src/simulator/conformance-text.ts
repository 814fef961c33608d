import type { ConformanceReport, ConformanceRule } from './conformance.ts';

/** A report for people. What was broken comes last, where a terminal shows it. */
export function conformanceText(report: ConformanceReport): string {
  const of = (verdict: ConformanceRule['verdict']) => report.rules.filter((rule) => rule.verdict === verdict);
  const { brokenCount, metCount, notExercisedCount } = report;
  const sections = [
    list('NOT EXERCISED', of('not_exercised'), ({ exercisedBy }) => `needs ${exercisedBy}`),
    list('MET', of('met'), ({ says, metCount: count }) => `${says} (${count}×)`),
    ...of('broken').map(brokenText),
    `${brokenCount} ${brokenCount === 1 ? 'rule' : 'rules'} broken, ${metCount} met, ${notExercisedCount} not exercised.`,
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function brokenText({ id, says, source, brokenCount, metCount, findings, reading }: ConformanceRule): string {
  const total = brokenCount + metCount;
  const more = brokenCount - findings.length;
  return [
    `BROKEN  ${id}  (${brokenCount} of ${total})`,
    `  ${says}`,
    ...findings.map(({ what, seq, under }) => {
      const request = seq === undefined ? '' : `request ${seq}: `;
      return `  - ${request}${what}${under === undefined ? '' : ` (only under the reading ${under})`}`;
    }),
    ...(more > 0 ? [`  - and ${more} more`] : []),
    ...(reading === undefined ? [] : [`  TikTok's page leaves this open; switch ${reading}`]),
    `  ${source.url}, read ${source.readOn}`,
  ].join('\n');
}

function list(title: string, rules: readonly ConformanceRule[], tell: (rule: ConformanceRule) => string): string {
  if (rules.length === 0) return '';
  const width = Math.max(...rules.map(({ id }) => id.length));
  return [title, ...rules.map((rule) => `  ${rule.id.padEnd(width)}  ${tell(rule)}`)].join('\n');
}
