import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { parseInfo } from '../src/redis/server-facts.ts';
import { eventsBenchmark } from './events.ts';
import { startRedis } from './lab.ts';
import type { Benchmark, Row } from './measure.ts';
import { memoryBenchmark } from './memory.ts';
import { publishBenchmark } from './publish.ts';
import { type Report, renderComparison, renderTable } from './report.ts';
import { startBenchmark } from './start.ts';
import { uploadsBenchmark } from './uploads.ts';
import { watchersBenchmark } from './watchers.ts';
import { wideBenchmark } from './wide.ts';

const BENCHMARKS: readonly Benchmark[] = [
  publishBenchmark,
  uploadsBenchmark,
  memoryBenchmark,
  wideBenchmark,
  watchersBenchmark,
  eventsBenchmark,
  startBenchmark,
];

const { values: options, positionals } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'string', default: 'bench-result.json' },
    compare: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

if (options.compare) compare(positionals);
else await measure();
// Clients that reconnect would keep the process.
process.exit();

function compare([before, after]: readonly string[]): void {
  if (before === undefined || after === undefined) throw new Error('--compare needs two files');
  const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Report;
  console.log(renderComparison(read(before), read(after)));
}

async function measure(): Promise<void> {
  const names = BENCHMARKS.map(({ name }) => name);
  const wanted = options.only?.split(',') ?? names;
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`no benchmark ${unknown.join(', ')}; there are ${names.join(', ')}`);
  const chosen = BENCHMARKS.filter(({ name }) => wanted.includes(name));
  const rows: Row[] = [];
  for (const benchmark of chosen) {
    console.error(`bench: ${benchmark.name} …`);
    rows.push(...(await benchmark.run({ full: options.full, note: (text) => console.error(`  ${text}`) })));
  }
  const report: Report = { at: new Date().toISOString(), commit: commitOf(), machine: await machine(), rows };
  writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(renderTable(rows));
  console.log(
    `\n${Object.entries({ ...report.machine, commit: report.commit })
      .map((fact) => fact.join(' '))
      .join(', ')}`,
  );
  console.log(`written to ${options.json}`);
}

function commitOf(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

/** What was measured, and on what. */
async function machine() {
  const [cpu] = cpus();
  const redis = await startRedis();
  const serverInfo = parseInfo(await redis.client.info('server'));
  await redis.close();
  return {
    node: process.version,
    redis: serverInfo('redis_version'),
    bullmq: versionOf('bullmq'),
    undici: versionOf('undici'),
    curl: execFileSync('curl', ['--version'], { encoding: 'utf8' }).split(' ')[1] ?? '',
    cores: cpus().length,
    cpu: cpu?.model ?? '',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
}

function versionOf(name: string): string {
  const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string };
  return version;
}
