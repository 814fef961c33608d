import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check } from 'recheck';
import { parseAst } from 'rolldown/parseAst';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { REPOSITORY, sourceFiles } from './source-files.ts';

/** What is known of patterns from earlier runs: the search for an attack takes a second for each. */
const CACHE_FOLDER = join(REPOSITORY, 'node_modules/.cache');
const CACHE = join(CACHE_FOLDER, 'recheck.json');
const verdicts = z.record(z.string(), z.string());

const regexLiteral = z.object({
  type: z.literal('Literal'),
  regex: z.object({ pattern: z.string(), flags: z.string() }),
});

function patternsOf(path: string, text: string): { path: string; pattern: string; flags: string }[] {
  const found: { path: string; pattern: string; flags: string }[] = [];
  JSON.stringify(parseAst(text, { lang: 'ts' }, path), (_name, node: unknown) => {
    const literal = regexLiteral.safeParse(node);
    if (literal.success) found.push({ path, ...literal.data.regex });
    return typeof node === 'bigint' || literal.success ? undefined : node;
  });
  return found;
}

function readCache(): Record<string, string> {
  try {
    return verdicts.parse(JSON.parse(readFileSync(CACHE, 'utf8')));
  } catch {
    return {};
  }
}

/** `safe`, or how long the pattern may take for a text of which length; `unknown` where that was not found out in time. */
async function judge(pattern: string, flags: string): Promise<string> {
  const found = await check(pattern, flags, { timeout: 5_000 });
  return found.status === 'vulnerable' ? found.complexity.summary : found.status;
}

describe('the regular expressions of the program', () => {
  const patterns = sourceFiles('src').flatMap(({ path, text }) =>
    path.endsWith('.d.ts') ? [] : patternsOf(path, text),
  );

  it('are found', () => {
    expect(patterns.length).toBeGreaterThan(150);
  });

  it('take linear time for any text', { timeout: 600_000 }, async () => {
    const known = readCache();
    const slow: string[] = [];
    for (const { path, pattern, flags } of patterns) {
      const name = `/${pattern}/${flags}`;
      const verdict = known[name] ?? (await judge(pattern, flags));
      // What was not found out may be by an idle machine.
      if (verdict !== 'unknown') known[name] = verdict;
      if (verdict !== 'safe' && verdict !== 'unknown') slow.push(`${path}: ${name} takes ${verdict} time`);
    }
    mkdirSync(CACHE_FOLDER, { recursive: true });
    writeFileSync(CACHE, JSON.stringify(known, null, 2));
    expect(slow).toEqual([]);
  });
});
