import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND_MS } from '../core/units.ts';

/** Small, so that uploads take turns and none seems to have stalled. */
const SLICE_BYTES = 65_536;

/** What keeps time; handed in, so that tests need not wait. */
export interface Pacer {
  /** Ms since any instant. */
  now(): number;
  wait(ms: number): Promise<unknown>;
}

const REAL_TIME: Pacer = { now: () => performance.now(), wait: sleep };

/** Lets a body pass at the speed that its turn among the others gives it. */
export type LimitBandwidth = (body: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** All bodies together pass no faster than this; those that pass at the same time share it equally. */
export function createBandwidthLimit(bytesPerSecond: number, { now, wait }: Pacer = REAL_TIME): LimitBandwidth {
  let freeAt = now();

  return async function* limited(body) {
    for await (const piece of body) {
      for (let start = 0; start < piece.byteLength; start += SLICE_BYTES) {
        const slice = piece.subarray(start, start + SLICE_BYTES);
        const turnAt = Math.max(freeAt, now());
        freeAt = turnAt + (slice.byteLength / bytesPerSecond) * SECOND_MS;
        if (turnAt > now()) await wait(turnAt - now());
        yield slice;
      }
    }
  };
}
