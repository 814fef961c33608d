import { setTimeout as sleep } from 'node:timers/promises';
import { READING_CALLS, type ReadingCall, readingCalls } from '../calls.ts';
import type { Program } from '../lab.ts';
import { median, type Row } from '../measure.ts';
import { openProduct, type Product } from '../product.ts';

/* What a system costs by being large, while nothing happens in it. */

/** Two sweeps and more. */
const IDLE_MS = 12_000;
const SHORT = { idleMs: 500, sweepEveryMs: 200 };
const CALLS = 7;
const SHOWN_COMMANDS = 6;

/** Opens the product for a scenario; one that is scaled down has no time to wait for sweeps. */
export const openBig = (scale: number) =>
  openProduct({ pollMs: [1_000], pollsUntilDone: 1, ...(isShort(scale) && { sweepEveryMs: SHORT.sweepEveryMs }) });

const isShort = (scale: number): boolean => scale < 0.1;

/** The processes that go on: one that sweeps and starts nothing, and a web server. */
export interface Attendants {
  readonly sweeper: Program;
  readonly url: string;
  readonly idleMs: number;
}

export async function startAttendants(product: Product, scale: number): Promise<Attendants> {
  const sweeper = await product.startWorker();
  await sweeper.ask('start', ['status', 'events']);
  // What a new system does once does not count.
  while ((await product.redis.client.hexists(product.keys.indexBuild, 'builtAt')) === 0) await sleep(100);
  return {
    sweeper,
    idleMs: isShort(scale) ? SHORT.idleMs : IDLE_MS,
    url: await (await product.startServer()).ask<string>('serve'),
  };
}

export interface Burden {
  /** Commands and Redis CPU (ms) a second, and sweeps (ms), of one idle worker process. */
  readonly commands: number;
  readonly redisCpu: number;
  readonly sweep: number;
  /** Median times (ms). */
  readonly calls: Readonly<Record<ReadingCall, number>>;
}

export async function measureBurden(
  product: Product,
  { sweeper, url, idleMs }: Attendants,
  note: (text: string) => void,
): Promise<Burden> {
  // The sweep that is under way began in another time.
  await sweeper.ask('nextSweepMs');
  const [startedAt, before] = [performance.now(), await product.redis.use()];
  await sleep(idleMs);
  const sweep = await sweeper.ask<number>('nextSweepMs');
  const [seconds, after] = [(performance.now() - startedAt) / 1_000, await product.redis.use()];
  note(`commands in ${seconds.toFixed()} s: ${mostFrequent(before.byName, after.byName)}`);
  const calls = new Map<string, number>();
  for (const [name, call] of Object.entries(readingCalls(product.publisher, url))) {
    const times: number[] = [];
    for (let n = 0; n < CALLS; n += 1) times.push(await timeOf(call));
    calls.set(name, median(times));
  }
  return {
    commands: (after.commands - before.commands) / seconds,
    redisCpu: (after.cpuMs - before.cpuMs) / seconds,
    sweep,
    calls: Object.fromEntries(calls) as Burden['calls'],
  };
}

function mostFrequent(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string {
  const counts = [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  const sorted = counts.toSorted(([, a], [, b]) => b - a).slice(0, SHOWN_COMMANDS);
  return sorted.map(([name, count]) => `${name} ${count}`).join(', ');
}

export async function timeOf(something: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await something();
  return performance.now() - startedAt;
}

interface Sized {
  readonly size: number;
  readonly burden: Burden;
}

/** @param things what there are many of, such as `jobs` */
export function burdenRows(things: string, { size, burden }: Sized, small: Sized): Row[] {
  const row = (id: string, what: string, unit: string, value: (of: Burden) => number): Row => ({
    ...{ id: `big.${things}.${size}.${id}`, what: `${what}, ${size} ${things}`, unit, product: [value(burden)] },
    baseline: { name: `${small.size} ${things}`, values: [value(small.burden)] },
  });
  return [
    row('commands', 'Redis commands of an idle worker', '/s', ({ commands }) => commands),
    row('redisCpu', 'Redis CPU of an idle worker', 'ms/s', ({ redisCpu }) => redisCpu),
    row('sweep', 'a sweep', 'ms', ({ sweep }) => sweep),
    ...(Object.keys(READING_CALLS) as ReadingCall[]).map((call) =>
      row(call, READING_CALLS[call], 'ms', ({ calls }) => calls[call]),
    ),
  ];
}
