import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../../src/core/percentile.ts';
import type { Row } from '../measure.ts';
import type { Product } from '../product.ts';

/** How often TikTok is asked which posts have begun. */
const LOOK_MS = 500;

/** When each account was to start, and how late TikTok saw it (ms). */
export async function startDelays(
  { tiktok }: Product,
  wantedAt: ReadonlyMap<string, number>,
  { givenUpAt }: { readonly givenUpAt: number },
): Promise<number[]> {
  for (;;) {
    const begunAt = await tiktok.ask<Record<string, number>>('begunAt');
    const delays = [...wantedAt].flatMap(([account, at]) => {
      const begun = begunAt[`A video of ${account}`];
      return begun === undefined ? [] : [begun - at];
    });
    if (delays.length === wantedAt.size || Date.now() > givenUpAt) return delays;
    await sleep(LOOK_MS);
  }
}

/** Enqueues a job each for other accounts at an even rate. @returns when each was accepted */
export async function enqueueOthers(
  { publisher, request }: Product,
  { count, perSecond, of }: { readonly count: number; readonly perSecond: number; readonly of: string },
): Promise<Map<string, number>> {
  const acceptedAt = new Map<string, number>();
  const startedAt = performance.now();
  const enqueuing: Promise<void>[] = [];
  for (let number = 0; number < count; number += 1) {
    const account = `${of}-${number}`;
    await sleep(startedAt + (number * 1_000) / perSecond - performance.now());
    enqueuing.push(publisher.enqueue(request(account)).then(() => void acceptedAt.set(account, Date.now())));
  }
  await Promise.all(enqueuing);
  return acceptedAt;
}

/** Median and 99th percentile of delays (ms), as two rows. */
export function delayRows(id: string, what: string, delays: readonly number[], baseline?: Row['baseline']): Row[] {
  return [0.5, 0.99].map((fraction) => ({
    ...{ id: `big.${id}.p${fraction * 100}`, what: `${what}, p${fraction * 100}`, unit: 'ms' },
    product: [percentile(delays, fraction)],
    ...(baseline !== undefined && {
      baseline: { name: baseline.name, values: [percentile(baseline.values, fraction)] },
    }),
  }));
}
