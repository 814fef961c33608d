import { toAccountInput } from '../../accounts/account-input.ts';
import type { App } from '../../app/open-app.ts';
import { openParts, openService } from '../../app/open-service.ts';
import { openWorkers } from '../../app/open-workers.ts';
import { publisherOn } from '../../app/publisher-on.ts';
import { DEFAULT_POLL_SCHEDULE } from '../../core/poll-schedule.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { type CpuUse, watchCpu } from './cpu-use.ts';
import { Meter } from './meter.ts';
import { type Load, type LoadResult, runLoad, watchRedis } from './run-load.ts';
import type { SimulatedTikTok } from './simulated-tiktok.ts';

const ACCOUNTS_AT_A_TIME = 50;

/** How long the simulated TikTok processes a video: until between the second poll and the third. */
export const PROCESSING_MS = 1_200;
const FIRST_POLL_MS = 300;
const POLL_FACTOR = 1.5;
/** When the third poll is due, from the end of the upload. */
export const LAST_POLL_MS = FIRST_POLL_MS * (1 + POLL_FACTOR + POLL_FACTOR ** 2);

export interface MeasureOptions {
  readonly tiktok: SimulatedTikTok;
  readonly signal: AbortSignal;
  /** One publish at a time, by so many accounts. */
  readonly alone: Omit<Load, 'accounts'> & { readonly count: number };
  /** By all the others. */
  readonly full: Omit<Load, 'accounts'>;
}

export interface Measured {
  readonly alone: LoadResult;
  readonly full: LoadResult;
  readonly cpu: CpuUse;
}

/**
 * Runs a producer and workers as `start` does, in this process, and measures them.
 * @param redis of role `producer`, whose commands fail at once while Redis is away
 * @throws the signal's reason; PublishError or Redis's error when a publish can't be made
 */
export async function measure(
  app: App,
  redis: RedisClient,
  { tiktok, signal, alone, full }: MeasureOptions,
): Promise<Measured> {
  const meter = new Meter();
  signal.addEventListener('abort', () => meter.fail(signal.reason), { once: true });
  // Without a name nothing of this ledger is kept in DATA_DIR.
  const service = meter.watch(await openService({ ...app, ledgerName: undefined }));
  const parts = openParts(app, redis, { tiktok: service.tiktok });
  const publisher = publisherOn(app, parts);
  const polls = { firstMs: FIRST_POLL_MS, factor: POLL_FACTOR, minPerOpenJobMs: 0 };
  await openWorkers(service, {
    only: ['upload', 'status'],
    // No jitter: it would move the third poll.
    random: () => 0,
    settings: { pollSchedule: { ...DEFAULT_POLL_SCHEDULE, ...polls } },
  });
  const accounts: string[] = [];
  for (let at = 0; at < tiktok.accounts.length; at += ACCOUNTS_AT_A_TIME) {
    signal.throwIfAborted();
    const some = tiktok.accounts.slice(at, at + ACCOUNTS_AT_A_TIME);
    const inputs = some.map((tokens, index) => toAccountInput(`bench-${at + index}`, tokens));
    await Promise.all(inputs.map((input) => parts.vault.add(input)));
    accounts.push(...inputs.map(({ account }) => account));
  }
  const over = new AbortController();
  const watching = watchRedis(redis, meter, over.signal);
  try {
    const first = await runLoad({ ...alone, accounts: accounts.slice(0, alone.count) }, { meter, publisher });
    const cpuUse = await watchCpu(redis);
    const second = await runLoad({ ...full, accounts: accounts.slice(alone.count) }, { meter, publisher });
    return { alone: first, full: second, cpu: await cpuUse() };
  } finally {
    over.abort();
    await watching;
  }
}
