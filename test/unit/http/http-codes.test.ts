import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../../', import.meta.url).pathname;
/** What every route may answer, and the API. */
const OF_ALL = ['problem.ts', 'page-wall.ts', 'limit-rate.ts', 'guess-limit.ts'];
const PARTS = [...OF_ALL, ...readdirSync(join(ROOT, 'src/http/v1')).map((name) => `v1/${name}`)];
const page = readFileSync(join(ROOT, 'docs/rest-api.md'), 'utf8');

describe('the codes that concern HTTP alone', () => {
  const inCode = new Set(
    PARTS.filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(ROOT, 'src/http', name), 'utf8'))
      .flatMap((text) => [...text.matchAll(/\bcode: '([A-Z_]+)'/g)].map(([, code = '']) => code))
      // An example, of docs/errors.md.
      .filter((code) => !code.startsWith('INPUT_')),
  );
  const inPage = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code = '']) => code);

  it('are all described, and none that there is not', () => {
    expect(inPage.sort()).toEqual([...inCode].sort());
  });
});
