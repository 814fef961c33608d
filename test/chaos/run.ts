import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_RECOVERY } from '../../src/workers/runtime/recovery.ts';
import { runChaos } from './chaos-run.ts';
import { RAPID_RECOVERY } from './stage.ts';
import { faultsIn } from './summary.ts';
import { TOPOLOGIES } from './topologies/topology.ts';

/*
 * npm run chaos -- [--topology single|sentinel|cluster] --rounds N --seed S [--wait-replicas N] [--from R] [--lanes L]
 *                  [--recovery rapid|default]
 */

const { values } = parseArgs({
  options: {
    topology: { type: 'string', default: 'single' },
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    from: { type: 'string', default: '0' },
    lanes: { type: 'string' },
    recovery: { type: 'string', default: 'rapid' },
    'wait-replicas': { type: 'string' },
  },
});
const report = (line: string): void => void process.stdout.write(`${line}\n`);
const topology = TOPOLOGIES.find((kind) => kind === values.topology);
if (topology === undefined) throw new Error(`--topology: expected ${TOPOLOGIES.join(', ')}`);
const waitReplicas = values['wait-replicas'] === undefined ? undefined : Number(values['wait-replicas']);
const interrupt = new AbortController();
process.once('SIGINT', () => {
  report('interrupted: the rounds under way are finished');
  interrupt.abort();
});

report(`${topology}, seed ${values.seed}, ${values.recovery} recovery, wait replicas ${waitReplicas ?? 'default'}`);
const summary = await runChaos({
  ...{ topology, waitReplicas, report },
  programs: join(import.meta.dirname, '..', '..'),
  seed: Number(values.seed),
  rounds: Number(values.rounds),
  from: Number(values.from),
  // A sentinel's or a cluster's lane is six servers.
  lanes: Number(values.lanes ?? (topology === 'single' ? 3 : 2)),
  recovery: values.recovery === 'default' ? DEFAULT_RECOVERY : RAPID_RECOVERY,
  signal: interrupt.signal,
});
report(`summary ${JSON.stringify(summary, undefined, 2)}`);
const faults = faultsIn(summary);
report(
  Object.entries(faults)
    .map(([name, count]) => `${name} ${count}`)
    .join(' / '),
);
const isClean = summary.brokenOff.length === 0 && Object.values(faults).every((count) => count === 0);
// An ordinary end may spin for ever in Node's clean-up (nodejs/node#47748), as seen once on Node 20.20.
process.stdout.write('', () => process.exit(isClean ? 0 : 1));
