import { percentile } from '../../core/percentile.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import type { BenchRedis } from './check-redis.ts';
import { type CpuUse, type Limit, limitOf, rounded } from './cpu-use.ts';
import { LAST_POLL_MS, type Measured } from './measure.ts';
import type { Samples } from './meter.ts';
import type { LoadResult } from './run-load.ts';

interface Latency {
  readonly count: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

type Measure = 'ping' | 'enqueue' | 'claim' | 'poll';

type Latencies = { readonly publishes: number } & { readonly [name in Measure]: Latency };

/** The JSON document of `bench`; docs/performance.md describes it. */
export interface BenchReport {
  readonly redis: BenchRedis;
  readonly notes: readonly string[];
  readonly concurrency: number;
  readonly durationMs: number;
  readonly publishesPerSecond: number;
  readonly publishesPerDay: number;
  readonly oneAtATime: Latencies;
  readonly fullLoad: Latencies;
  readonly cpu: CpuUse;
  readonly cpuMsPerPublish: number;
  readonly limitedBy: Limit;
}

/** Computes the figures. */
export function reportOnBench(
  { alone, full, cpu }: Measured,
  known: Pick<BenchReport, 'redis' | 'notes' | 'concurrency'>,
): BenchReport {
  // At the end nothing happens but the polls of the last publishes.
  const perMs = full.publishes / Math.max(1, full.durationMs - LAST_POLL_MS);
  return {
    ...known,
    durationMs: Math.round(full.durationMs),
    publishesPerSecond: rounded(perMs * SECOND_MS),
    publishesPerDay: Math.round(perMs * DAY_MS),
    oneAtATime: latenciesOf(alone),
    fullLoad: latenciesOf(full),
    cpu,
    cpuMsPerPublish: rounded((cpu.process * full.durationMs) / full.publishes),
    limitedBy: limitOf(cpu),
  };
}

function latenciesOf({ publishes, samples }: LoadResult): Latencies {
  const of = (name: keyof Samples): Latency => ({
    count: samples[name].length,
    p50Ms: shareOf(samples[name], 0.5),
    p99Ms: shareOf(samples[name], 0.99),
  });
  return { publishes, ping: of('pingMs'), enqueue: of('enqueueMs'), claim: of('claimMs'), poll: of('pollMs') };
}

function shareOf(values: readonly number[], share: number): number | null {
  return values.length === 0 ? null : rounded(percentile(values, share));
}

const LIMITS: Readonly<Record<Limit, string>> = {
  redis: 'Redis: it kept one core busy. A faster core helps.',
  process: 'this process: it kept one core busy. More `worker` processes on other cores publish more.',
  machine: 'this machine: all its cores were busy, with the simulated TikTok and other programs too.',
  waiting: 'waiting for answers: nothing was busy. Try a higher --concurrency, or a Redis that is nearer.',
};

/** The human-readable report. */
export function benchReportText({ oneAtATime, fullLoad, cpu, ...report }: BenchReport): string {
  const row = (label: string, name: Measure): string => {
    const cells = [oneAtATime[name], fullLoad[name]].flatMap(({ p50Ms, p99Ms }) => [p50Ms, p99Ms]);
    return line(label, ...cells.map((ms) => ms?.toFixed(ms < 100 ? 2 : 0) ?? '-'));
  };
  const perSecond = whole(report.publishesPerSecond);
  const inTime = `${whole(fullLoad.publishes)} in ${(report.durationMs / SECOND_MS).toFixed(1)} s`;
  return [
    line('ms', '', 'one at a time', '', `${report.concurrency} at a time`),
    line('', 'p50', 'p99', 'p50', 'p99'),
    row('Redis round trip (PING)', 'ping'),
    row('enqueue', 'enqueue'),
    row('claim', 'claim'),
    row('poll', 'poll'),
    '',
    '- enqueue: the call. claim: from its answer until a worker has taken the job.',
    '- poll: how late TikTok is asked for the status, after the planned time.',
    '',
    `publishes   ${perSecond} per second (${inTime}, less ${(LAST_POLL_MS / SECOND_MS).toFixed(1)} s for the polls of the last)`,
    `CPU         this process ${percent(cpu.process)} of a core (${report.cpuMsPerPublish} ms per publish), Redis ${percent(cpu.redis)}, everything on this machine ${percent(cpu.machine)} of ${cpu.cores} cores`,
    `limited by  ${LIMITS[report.limitedBy]}`,
    `per day     ${whole(report.publishesPerDay)} at this rate, if they come evenly; with large videos your network is the limit.`,
  ].join('\n');
}

const LABEL_WIDTH = 24;
const CELL_WIDTH = 14;

function line(label: string, ...cells: readonly string[]): string {
  return `${label.padEnd(LABEL_WIDTH)}${cells.map((text) => text.padStart(CELL_WIDTH)).join('')}`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function percent(share: number | null): string {
  return share === null ? 'unknown' : `${Math.round(share * 100)} %`;
}
