import { parseArgs } from 'node:util';
import type { Benchmark, Row } from './measure.ts';
import { publishBenchmark } from './publish.ts';
import { renderTable } from './report.ts';

const BENCHMARKS: readonly Benchmark[] = [publishBenchmark];

const { values: options } = parseArgs({
  options: { full: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const chosen = BENCHMARKS.filter(({ name }) => options.only === undefined || options.only.split(',').includes(name));
const rows: Row[] = [];
for (const benchmark of chosen) {
  console.error(`bench: ${benchmark.name} …`);
  rows.push(...(await benchmark.run({ full: options.full, note: (text) => console.error(`  ${text}`) })));
}
console.log(renderTable(rows));
process.exit(0);
