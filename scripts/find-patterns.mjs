import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

/** Where it is noted which patterns were judged. */
export const JUDGED_PATTERNS = 'test/architecture/judged-patterns.json';

/**
 * Every regular expression that is written in a source file below `src`.
 * @param {string} repository its folder
 */
export function findPatterns(repository) {
  const found = [];
  for (const path of readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts') || path.endsWith('.d.ts')) continue;
    const program = parseAst(readFileSync(join(repository, 'src', path), 'utf8'), { lang: 'ts' }, path);
    JSON.stringify(program, (_name, node) => {
      if (node?.type !== 'Literal' || node.regex === undefined) return typeof node === 'bigint' ? undefined : node;
      const { pattern, flags } = node.regex;
      found.push({ path: `src/${path}`, name: `/${pattern}/${flags}`, pattern, flags });
      return undefined;
    });
  }
  return found;
}
