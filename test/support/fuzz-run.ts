import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect } from 'vitest';
import { z } from 'zod';
import { MEBIBYTE_BYTES } from '../../src/core/units.ts';

const settings = z.object({
  /** `npm run fuzz` sets it; `npm run short-forms` runs the short form. */
  FUZZ_FORM: z.enum(['short', 'long']).default('short'),
  /** Replays a run, or goes on where the others began. */
  FUZZ_SEED: z.coerce.number().default(() => Math.floor(Math.random() * 2 ** 31)),
});

/** Inputs are made in batches, so that a long run does not hold them all; at least eight, since the first warm it up. */
const MOST_PER_BATCH = 500;
const LEAST_BATCHES = 8;
/** What a process may gain between its warm-up and its end, whatever the number of inputs. */
const MOST_GROWTH_BYTES = 8 * MEBIBYTE_BYTES;
/** Collections before the heap is measured. */
const COLLECTIONS = 4;

export interface FuzzOptions<T> {
  /** What the inputs are, in the plural. */
  readonly what: string;
  /** How many there are in the two forms. */
  readonly count: { readonly short: number; readonly long: number };
  readonly inputs: fc.Arbitrary<T>;
  /** How many are tried at the same time. Default: one. */
  readonly parallel?: number;
  /** Sends one and judges what comes of it; rejects where that is wrong. */
  readonly attempt: (input: T) => Promise<void>;
}

/** Tries inputs from a seed that it prints, and checks that this process keeps no memory of them. */
export async function fuzz<T>(options: FuzzOptions<T>): Promise<void> {
  const { what, count, inputs, parallel = 1, attempt } = options;
  const { FUZZ_FORM: form, FUZZ_SEED: seed } = settings.parse(process.env);
  const total = count[form];
  process.stdout.write(`fuzz: ${total} ${what}, FUZZ_SEED=${seed} FUZZ_FORM=${form}\n`);
  const batchCount = Math.min(MOST_PER_BATCH, Math.ceil(total / LEAST_BATCHES));
  // Whole batches, so that none is held while the heap is measured.
  const warmUpCount = Math.ceil(total / 4 / batchCount) * batchCount;
  await tryBetween(0, warmUpCount);
  const warmBytes = await heldBytes();
  await tryBetween(warmUpCount, total);
  const grownBytes = (await heldBytes()) - warmBytes;
  process.stdout.write(`fuzz: the heap grew by ${Math.round(grownBytes / 1_024)} kB after the first quarter\n`);
  expect(grownBytes).toBeLessThan(MOST_GROWTH_BYTES);

  /** Nobody waits for the slowest of a batch: the next one is begun meanwhile. */
  async function tryBetween(start: number, end: number): Promise<void> {
    const rest = inputsBetween(start, end);
    await Promise.all(
      Array.from({ length: parallel }, async () => {
        for (const input of rest) await attempt(input);
      }),
    );
  }

  function* inputsBetween(start: number, end: number): Generator<T> {
    for (let done = start; done < end; done += batchCount) {
      const numRuns = Math.min(batchCount, end - done);
      // A batch has a seed of its own, so that none repeats another.
      const batch = fc.sample(inputs, { seed: (seed + done) | 0, numRuns });
      for (let input = batch.pop(); input !== undefined; input = batch.pop()) yield input;
    }
  }
}

/**
 * What is really held (bytes). One collection does not free all that nobody holds: what has to be finalized goes with the
 * next one, which after large inputs were 4 MB.
 */
async function heldBytes(): Promise<number> {
  setFlagsFromString('--expose_gc');
  let least = Number.POSITIVE_INFINITY;
  for (let count = 0; count < COLLECTIONS; count += 1) {
    runInNewContext('gc')();
    await nextTurn();
    least = Math.min(least, process.memoryUsage().heapUsed);
  }
  return least;
}
