import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const FOLDER = new URL('../fixtures/media/', import.meta.url);

const recipesSchema = z.record(
  z.string(),
  z.object({
    what: z.string(),
    /** Codes of the findings. */
    refused: z.array(z.string()).default([]),
    warned: z.array(z.string()).default([]),
  }),
);

/** A video of test/fixtures/media, which scripts/make-media.mjs makes, and what must be found in it. */
export interface MediaFixture {
  readonly name: string;
  readonly path: string;
  readonly what: string;
  readonly refused: readonly string[];
  readonly warned: readonly string[];
}

/** All videos there are recipes for. */
export const MEDIA_FIXTURES: readonly MediaFixture[] = Object.entries(
  recipesSchema.parse(JSON.parse(readFileSync(new URL('recipes.json', FOLDER), 'utf8'))),
).map(([name, recipe]) => ({ name, path: mediaFixture(name), ...recipe }));

/** The path of one of them. */
export function mediaFixture(name: string): string {
  return fileURLToPath(new URL(name, FOLDER));
}
