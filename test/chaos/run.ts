import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_RECOVERY } from '../../src/workers/recovery.ts';
import { runChaos } from './chaos-run.ts';
import { RAPID_RECOVERY } from './stage.ts';

/* npm run chaos -- --rounds N --seed S [--from R] [--lanes L] [--recovery rapid|default] */

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    from: { type: 'string', default: '0' },
    lanes: { type: 'string', default: '3' },
    recovery: { type: 'string', default: 'rapid' },
  },
});
const report = (line: string): void => void process.stdout.write(`${line}\n`);
const interrupt = new AbortController();
process.once('SIGINT', () => {
  report('interrupted: the rounds under way are finished');
  interrupt.abort();
});

report(`seed ${values.seed}, ${values.recovery} recovery`);
const summary = await runChaos({
  programs: join(import.meta.dirname, '..', '..'),
  seed: Number(values.seed),
  rounds: Number(values.rounds),
  from: Number(values.from),
  lanes: Number(values.lanes),
  recovery: values.recovery === 'default' ? DEFAULT_RECOVERY : RAPID_RECOVERY,
  report,
  signal: interrupt.signal,
});
report(`summary ${JSON.stringify(summary, undefined, 2)}`);
const { duplicates, losses, wrongStates, wrongBytes, unexplainedEnds } = summary;
process.exitCode = duplicates + losses + wrongStates + wrongBytes + unexplainedEnds > 0 ? 1 : 0;
