import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { parseInfo } from '../src/redis/server-facts.ts';
import { accountsBenchmark } from './big/accounts.ts';
import { deadHostBenchmark } from './big/dead-host.ts';
import { growthBenchmark } from './big/growth.ts';
import { hotAccountBenchmark } from './big/hot-account.ts';
import { queuedBenchmark } from './big/queued.ts';
import { scheduledBenchmark } from './big/scheduled.ts';
import { watchedBenchmark } from './big/watched.ts';
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

/** Part of a run of which nothing else is said. */
const USUAL: readonly Benchmark[] = [
  publishBenchmark,
  uploadsBenchmark,
  memoryBenchmark,
  wideBenchmark,
  watchersBenchmark,
  eventsBenchmark,
  startBenchmark,
];

/** Big numbers, which take minutes and gigabytes unless they are scaled down. */
const BIG: readonly Benchmark[] = [
  queuedBenchmark,
  accountsBenchmark,
  scheduledBenchmark,
  watchedBenchmark,
  deadHostBenchmark,
  hotAccountBenchmark,
  growthBenchmark,
];

const { values: options, positionals } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    only: { type: 'string' },
    scale: { type: 'string', default: '1' },
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
  const benchmarks = [...USUAL, ...BIG];
  const names = benchmarks.map(({ name }) => name);
  const wanted = (options.only ?? USUAL.map(({ name }) => name).join())
    .split(',')
    .flatMap((name) => (name === 'big' ? BIG.map((each) => each.name) : [name]));
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new Error(
      `no benchmark ${unknown.join(', ')}; there are ${names.join(', ')}, and big for ${BIG.map(({ name }) => name).join(', ')}`,
    );
  const chosen = benchmarks.filter(({ name }) => wanted.includes(name));
  const scale = Number(options.scale);
  if (!(scale > 0)) throw new Error(`--scale ${options.scale}: expected a number above 0, such as 0.01`);
  const rows: Row[] = [];
  for (const benchmark of chosen) {
    console.error(`bench: ${benchmark.name} …`);
    rows.push(...(await benchmark.run({ full: options.full, scale, note: (text) => console.error(`  ${text}`) })));
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
    load: Math.round(loadavg()[1] ?? 0),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
}

function versionOf(name: string): string {
  const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string };
  return version;
}
