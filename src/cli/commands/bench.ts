import { randomBytes } from 'node:crypto';
import { openApp } from '../../app/open-app.ts';
import { type Environment, settingIn, trialSettings, withSettings } from '../../config/given-settings.ts';
import { loadConfig } from '../../config/load-config.ts';
import { orLate } from '../../core/deadline.ts';
import { redisTroubleOf } from '../../core/redis-trouble.ts';
import { HOUR_MS, SECOND_MS } from '../../core/units.ts';
import { explainRedisError } from '../../redis/connection-error.ts';
import { forgetKeys } from '../../redis/forget-keys.ts';
import { createKeys } from '../../redis/keys.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { type BenchReport, benchReportText, reportOnBench } from '../bench/bench-report.ts';
import { checkRedisForBench } from '../bench/check-redis.ts';
import { measure, PROCESSING_MS } from '../bench/measure.ts';
import { type SimulatedTikTok, startSimulatedTikTok } from '../bench/simulated-tiktok.ts';
import type { CommandContext } from '../cli-io.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { interruptible } from '../interrupt.ts';

const MOST_PUBLISHES = 2_500;
const WITHIN_MS = 20 * SECOND_MS;
/** Before the load, to tell what a single publish meets. */
const MOST_ALONE = 50;
const ALONE_WITHIN_MS = 3 * SECOND_MS;
const DRAIN_MS = 5 * SECOND_MS;

export interface BenchOptions {
  /** By default as many as fit into the time. */
  readonly publishes?: number;
  readonly concurrency: number;
}

/** `bench`: how much this machine and the Redis of the settings publish, measured with a simulated TikTok. */
export async function bench(options: BenchOptions, context: CommandContext): Promise<ExitCode> {
  return await interruptible(async (signal) => {
    const { publishes = MOST_PUBLISHES } = options;
    const aloneCount = Math.min(MOST_ALONE, Math.ceil(publishes / 10));
    const simulator = new AbortController();
    try {
      const accounts = { accountCount: aloneCount + publishes, processingMs: PROCESSING_MS };
      const tiktok = await startSimulatedTikTok(accounts, simulator.signal);
      const report = await runBench({ ...options, aloneCount }, tiktok, context, signal);
      context.output.answerProse(report, `\n${benchReportText(report)}`);
      return EXIT_CODES.success;
    } finally {
      simulator.abort();
    }
  });
}

async function runBench(
  { publishes, concurrency, aloneCount }: BenchOptions & { readonly aloneCount: number },
  tiktok: SimulatedTikTok,
  { io, output }: CommandContext,
  signal: AbortSignal,
): Promise<BenchReport> {
  const settings = loadConfig(benchEnvironment(io.env, tiktok, concurrency));
  const queuePrefix = newBenchPrefix(settings.queuePrefix, Date.now());
  const app = await openApp(
    { ...settings, queuePrefix, shutdownTimeoutMs: DRAIN_MS, tracing: undefined },
    { starter: 'service' },
  );
  app.logConsole();
  let hasKeys = false;
  let isAway = false;
  const step = (name: string, text: string): void => output.step(`${name.padEnd(12)}${text}`);
  try {
    const redis = await app.connect('producer');
    const { redis: used, notes } = await checkRedisForBench(app, redis, {
      ...{ queuePrefix: settings.queuePrefix, publishes: tiktok.accounts.length },
    });
    step('Redis', `${used.version} at ${used.address} (${used.origin})`);
    for (const note of notes) step('note', note);
    const left = await forgetLeftBehind(redis, settings.queuePrefix, Date.now());
    if (left > 0) step('removed', `keys that earlier runs left behind: ${left}`);
    step('keys', `${app.keys.pattern}, removed at the end`);
    step('load', `${publishes ?? `${WITHIN_MS / SECOND_MS} s of`} publishes to a simulated TikTok; Ctrl-C stops it`);
    hasKeys = true;
    app.onClose(async () => {
      await forgetKeys(redis, queuePrefix);
      hasKeys = false;
    });
    const results = await measure(app, redis, {
      ...{ tiktok, signal },
      alone: { count: aloneCount, concurrency: 1, withinMs: ALONE_WITHIN_MS },
      full: { concurrency, withinMs: publishes === undefined ? WITHIN_MS : Number.POSITIVE_INFINITY },
    });
    return reportOnBench(results, { concurrency, redis: used, notes });
  } catch (error) {
    const trouble = redisTroubleOf(error);
    isAway = trouble !== undefined;
    throw (trouble && explainRedisError(trouble.cause ?? trouble, app.target)) ?? error;
  } finally {
    // What still waits for a Redis that is away must not hold the command.
    await (isAway ? orLate(app.close(), { withinMs: DRAIN_MS, late: () => undefined }) : app.close());
    if (hasKeys) output.note(`Not all keys ${app.keys.pattern} were removed. ${LATER}`);
  }
}

const LATER = 'The next run of `bench` removes those that are an hour old.';

/** What a person has set stays, except for what makes the publishes real: TikTok, its app, and the keys of tokens. */
function benchEnvironment(env: Environment, tiktok: SimulatedTikTok, concurrency: number): Environment {
  return withSettings(env, {
    LOG_LEVEL: settingIn(env, 'LOG_LEVEL') ?? 'error',
    UPLOAD_CONCURRENCY: String(concurrency),
    ...trialSettings(tiktok),
  });
}

/** Longer than any run. */
const LEFT_BEHIND_AFTER_MS = HOUR_MS;
const TIME_BASE = 36;

/**
 * A queue prefix for one run, below that of the settings: the same permissions hold for it, and a cluster has it on the
 * same node. It begins with the time, by which a later run knows what was left behind.
 */
function newBenchPrefix(queuePrefix: string, now: number): string {
  return createKeys(queuePrefix).benchRun(`${now.toString(TIME_BASE)}-${randomBytes(4).toString('hex')}`);
}

/** Deletes what runs that were killed left behind. @returns how many keys */
async function forgetLeftBehind(redis: RedisClient, queuePrefix: string, now: number): Promise<number> {
  const start = createKeys(queuePrefix).benchRun('');
  return await forgetKeys(redis, start, (key) => {
    const [time = ''] = key.slice(start.length).split('-', 1);
    return Number.parseInt(time, TIME_BASE) < now - LEFT_BEHIND_AFTER_MS;
  });
}
