import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runFidelity } from './fidelity-run.ts';
import { breachCount, summaryText } from './summary.ts';

/* npm run fidelity -- [--seed N] [--case K | --cases COUNT] [--lanes L] */

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    case: { type: 'string' },
    cases: { type: 'string' },
    lanes: { type: 'string', default: '3' },
  },
});
const report = (line: string): void => void process.stdout.write(`${line}\n`);
const interrupt = new AbortController();
process.once('SIGINT', () => {
  report('interrupted: the cases under way are finished');
  interrupt.abort();
});
const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
const summary = await runFidelity({
  programs: join(import.meta.dirname, '..', '..'),
  seed: Number(values.seed),
  onlyCase: numberOf(values.case),
  caseCount: numberOf(values.cases),
  lanes: Number(values.lanes),
  report,
  signal: interrupt.signal,
});
report(`\n${summaryText(summary)}`);
process.exitCode = breachCount(summary) > 0 ? 1 : 0;
