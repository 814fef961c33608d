import { describe, expect, it } from 'vitest';
import { createBandwidthLimit } from '../../../src/tiktok/limit-bandwidth.ts';

/** Time that passes only while all bodies wait. */
function startClock() {
  let now = 0;
  const waiting: { readonly until: number; readonly wake: () => void }[] = [];
  return {
    now: () => now,
    wait: (ms: number) => new Promise<void>((wake) => waiting.push({ until: now + ms, wake })),
    /** Wakes whoever waits the shortest, until nobody does. */
    async run(): Promise<number> {
      for (;;) {
        await new Promise(setImmediate);
        waiting.sort((one, other) => one.until - other.until);
        const next = waiting.shift();
        if (next === undefined) return now;
        now = next.until;
        next.wake();
      }
    },
  };
}

async function* pieces(count: number, lengthBytes: number): AsyncGenerator<Uint8Array, void, void> {
  for (let n = 0; n < count; n += 1) yield Buffer.alloc(lengthBytes, n);
}

describe('the limit of upload bandwidth', () => {
  it('lets all bodies together pass no faster, and each as fast as the others', async () => {
    const clock = startClock();
    const limit = createBandwidthLimit(1_000_000, clock);
    const got = [0, 0, 0];
    const halves: number[][] = [];
    const passing = got.map(async (_, index) => {
      for await (const piece of limit(pieces(4, 1_000_000))) {
        got[index] = (got[index] ?? 0) + piece.byteLength;
        if (halves.length === 0 && got.reduce((sum, each) => sum + each) >= 6_000_000) halves.push([...got]);
      }
    });
    const tookMs = await clock.run();
    await Promise.all(passing);
    expect(got).toEqual([4_000_000, 4_000_000, 4_000_000]);
    expect(tookMs).toBeGreaterThan(11_800);
    expect(tookMs).toBeLessThan(12_001);
    const half = halves[0] ?? [];
    expect(Math.max(...half) - Math.min(...half)).toBeLessThanOrEqual(65_536);
  });

  it('changes no byte, and saves up no speed while nobody uploads', async () => {
    const clock = startClock();
    const limit = createBandwidthLimit(1_000_000, clock);
    const collect = async (): Promise<Buffer> => {
      const all: Uint8Array[] = [];
      for await (const piece of limit(pieces(3, 100_000))) all.push(piece);
      return Buffer.concat(all);
    };
    const first = collect();
    const firstMs = await clock.run();
    expect((await first).equals(Buffer.concat([0, 1, 2].map((n) => Buffer.alloc(100_000, n))))).toBe(true);
    const idle = clock.wait(60_000);
    await clock.run();
    await idle;
    const second = collect();
    const secondMs = (await clock.run()) - firstMs - 60_000;
    await second;
    expect(secondMs).toBeGreaterThan(200);
  });
});
