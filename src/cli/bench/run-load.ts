import { setTimeout as sleep } from 'node:timers/promises';
import { orLate } from '../../core/deadline.ts';
import { PublishError } from '../../core/publish-error.ts';
import { durationText } from '../../core/quantity-text.ts';
import { SECOND_MS } from '../../core/units.ts';
import { DEMO_VIDEO } from '../../media/shipped-videos.ts';
import type { Publisher } from '../../producers/publisher.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import type { Meter, Samples } from './meter.ts';

const PING_EVERY_MS = 20;
/** Longer than a takeover after a lost connection. */
const STALLED_AFTER_MS = 30 * SECOND_MS;
/** A frozen Redis keeps its connections. */
const SILENT_AFTER_MS = 15 * SECOND_MS;

/** What was done, and how long it took. */
export interface LoadResult {
  readonly publishes: number;
  readonly durationMs: number;
  readonly samples: Samples;
}

export interface Load {
  /** One for each publish, because TikTok limits publishes per account. */
  readonly accounts: readonly string[];
  /** Publishes that are enqueued or uploaded at the same time; polls come on top. */
  readonly concurrency: number;
  /** After which no further publish begins. */
  readonly withinMs: number;
}

/** Publishes until all publishes have ended. @throws what {@link Meter.fail} was called with */
export async function runLoad(
  { accounts, concurrency, withinMs }: Load,
  { meter, publisher }: { readonly meter: Meter; readonly publisher: Pick<Publisher, 'enqueue'> },
): Promise<LoadResult> {
  const samples = meter.begin();
  const startedAt = performance.now();
  let publishes = 0;
  const enqueue = async (account: string): Promise<void> => {
    const calledAt = performance.now();
    const { id } = await publisher.enqueue({
      ...{ account, mode: 'direct', media: { type: 'file', path: DEMO_VIDEO } },
      post: { title: 'A benchmark', privacyLevel: 'SELF_ONLY' },
    });
    samples.enqueueMs.push(performance.now() - calledAt);
    meter.accepted(id);
  };
  for (const account of accounts) {
    if (performance.now() - startedAt > withinMs) break;
    publishes += 1;
    enqueue(account).catch((error: unknown) => meter.fail(error));
    await meter.until(() => publishes - meter.uploaded < concurrency);
  }
  await meter.until(() => meter.published === publishes);
  return { publishes, durationMs: performance.now() - startedAt, samples };
}

/** Measures round trips to Redis, and notices that it is away or that nothing moves, until the signal is aborted. */
export async function watchRedis(redis: RedisClient, meter: Meter, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      await sleep(PING_EVERY_MS, undefined, { signal });
      const askedAt = performance.now();
      await orLate(redis.ping(), { withinMs: SILENT_AFTER_MS, late: onSilence });
      meter.samples.pingMs.push(performance.now() - askedAt);
      if (askedAt - meter.lastChangeAt > STALLED_AFTER_MS) {
        throw new PublishError('INTERNAL_ERROR', { reason: `no publish ended for ${durationText(STALLED_AFTER_MS)}` });
      }
    }
  } catch (error) {
    if (!signal.aborted) meter.fail(error);
  }
}

/** In ioredis's words, by which it is explained. */
function onSilence(): never {
  throw new Error('Command timed out');
}
