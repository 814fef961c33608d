import { expect, it } from 'vitest';
import { z } from 'zod';
import { findPatterns, JUDGED_PATTERNS } from '../../scripts/find-patterns.mjs';
import { REPOSITORY, readRepositoryFile } from './source-files.ts';

it('every regular expression was searched for texts on which it takes more than linear time', () => {
  const judged = z.array(z.string()).parse(JSON.parse(readRepositoryFile(JUDGED_PATTERNS)));
  const present = findPatterns(REPOSITORY);
  expect(present.length).toBeGreaterThan(150);
  const unjudged = present.filter(({ name }) => !judged.includes(name)).map(({ path, name }) => `${path}: ${name}`);
  expect(unjudged, 'run `npm run patterns`').toEqual([]);
});
