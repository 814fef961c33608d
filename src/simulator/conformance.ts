import { type Check, RULES, type RuleId } from './conformance-rules.ts';
import type { SimulatorSwitches } from './options.ts';

/** Findings kept per rule; a client that repeats its mistake tells nothing new. */
const MAX_FINDINGS = 5;

/** How a client stands to a rule. `not_exercised`: nothing happened that could have met or broken it. */
export type ConformanceVerdict = 'met' | 'broken' | 'not_exercised';

/** One thing that broke a rule. */
export interface ConformanceFinding {
  /** What was sent, and what would have been right. */
  what: string;
  /** Number of the request in the journal; undefined where several requests together broke the rule. */
  seq?: number | undefined;
  /** The only reading under which this breaks the rule, such as `megabyte: decimal`; undefined: under each. */
  under?: string | undefined;
}

/** One rule of TikTok's contract, and how the client stands to it. */
export interface ConformanceRule {
  /** Stable name of the rule. */
  id: RuleId;
  /** What a client does that meets it. */
  says: string;
  /** Where TikTok says so, and the day the page was read. */
  source: { url: string; readOn: string };
  /** `broken` if it was broken once. */
  verdict: ConformanceVerdict;
  /** How often the rule was met. */
  metCount: number;
  /** How often it was broken. */
  brokenCount: number;
  /** The first ones of what broke it, at most five. */
  findings: ConformanceFinding[];
  /** What must happen before the rule can be met or broken. */
  exercisedBy: string;
  /** The switch it depends on, with its value in this run; `megabyte` is judged under both readings. */
  reading?: string | undefined;
}

/** How a client stands to TikTok's contract, by what the simulator saw of it. */
export interface ConformanceReport {
  /** Rules that were met. */
  metCount: number;
  /** Rules that were broken, some of them perhaps met at other times. */
  brokenCount: number;
  /** Rules that nothing could have met or broken. */
  notExercisedCount: number;
  /** All rules, in a fixed order. */
  rules: ConformanceRule[];
}

interface Tally {
  metCount: number;
  brokenCount: number;
  findings: ConformanceFinding[];
}

/** Counts what met and broke each rule; its memory does not grow with the requests. */
export class Conformance {
  readonly #tallies = new Map<RuleId, Tally>();
  /** The users whose creator_info was asked; not forgotten by a reset, as their client may remember the answer. */
  readonly askedCreators = new Set<string>();

  /** Adds what one request says. @param seq its number in the journal */
  note(checks: readonly Check[], seq?: number): void {
    for (const one of checks) addTo(this.#tallies, one, seq);
  }

  clear(): void {
    this.#tallies.clear();
  }

  /** The report so far. @param outcomes what the publishes say as they stand now */
  report(outcomes: readonly Check[], switches: SimulatorSwitches): ConformanceReport {
    const tallies = new Map([...this.#tallies].map(([id, tally]) => [id, structuredClone(tally)]));
    for (const one of outcomes) addTo(tallies, one);
    const rules = (Object.keys(RULES) as RuleId[]).map((id) => judge(id, tallies.get(id) ?? newTally(), switches));
    const count = (verdict: ConformanceVerdict) => rules.filter((rule) => rule.verdict === verdict).length;
    return { metCount: count('met'), brokenCount: count('broken'), notExercisedCount: count('not_exercised'), rules };
  }
}

function judge(id: RuleId, tally: Tally, switches: SimulatorSwitches): ConformanceRule {
  const { says, source, exercisedBy, ...rest } = RULES[id];
  const [page, readOn] = source;
  return {
    id,
    says,
    source: { url: `https://developers.tiktok.com/doc/${page}`, readOn },
    verdict: tally.brokenCount > 0 ? 'broken' : tally.metCount > 0 ? 'met' : 'not_exercised',
    ...tally,
    exercisedBy,
    reading: 'reading' in rest ? `${rest.reading}: ${switches[rest.reading]}` : undefined,
  };
}

function addTo(tallies: Map<RuleId, Tally>, { rule, broken, under }: Check, seq?: number): void {
  const tally = tallies.get(rule) ?? newTally();
  tallies.set(rule, tally);
  if (broken === undefined) {
    tally.metCount++;
    return;
  }
  tally.brokenCount++;
  if (tally.findings.length < MAX_FINDINGS) tally.findings.push({ what: broken, seq, under });
}

function newTally(): Tally {
  return { metCount: 0, brokenCount: 0, findings: [] };
}

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
