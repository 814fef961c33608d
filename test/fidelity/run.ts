import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runFidelity } from './fidelity-run.ts';
import { breachCount, summaryText } from './summary.ts';

/* npm run fidelity -- [--seed N] [--case K | --short] [--lanes L] */

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    case: { type: 'string' },
    short: { type: 'boolean', default: false },
    lanes: { type: 'string', default: '3' },
  },
});
const report = (line: string): void => void process.stdout.write(`${line}\n`);
const interrupt = new AbortController();
process.once('SIGINT', () => {
  report('interrupted: the cases under way are finished');
  interrupt.abort();
});
const summary = await runFidelity({
  programs: join(import.meta.dirname, '..', '..'),
  seed: Number(values.seed),
  onlyCase: values.case === undefined ? undefined : Number(values.case),
  isShort: values.short,
  lanes: Number(values.lanes),
  report,
  signal: interrupt.signal,
});
report(`\n${summaryText(summary)}`);
process.exitCode = breachCount(summary) > 0 ? 1 : 0;
