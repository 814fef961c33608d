/*
 * Judges the regular expressions that nobody has judged yet: recheck searches each for a text for which it takes more than
 * linear time. recheck is fetched for the run, because it has 50 MB.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPatterns, JUDGED_PATTERNS } from './find-patterns.mjs';

const RECHECK = 'recheck@4.5.0';
const SEARCH_MS = 20_000;

const present = findPatterns('.');
const judged = new Set(JSON.parse(readFileSync(JUDGED_PATTERNS, 'utf8')));
const isNew = ({ name }) => !judged.has(name);

if (present.some(isNew)) {
  const folder = mkdtempSync(join(tmpdir(), 'judge-patterns-'));
  try {
    execFileSync('npm', ['install', '--no-save', '--silent', '--prefix', folder, RECHECK], { stdio: 'inherit' });
    const { check } = createRequire(join(folder, 'index.js'))('recheck');
    for (const { path, name, pattern, flags } of present.filter(isNew)) {
      const verdict = await check(pattern, flags, { timeout: SEARCH_MS });
      if (verdict.status === 'vulnerable') {
        console.error(
          `${path}: ${name} takes ${verdict.complexity.summary} time, for example for ${verdict.attack.pattern}`,
        );
        process.exitCode = 1;
        continue;
      }
      if (verdict.status === 'unknown') console.warn(`${path}: ${name} was not judged in time: look at it yourself`);
      judged.add(name);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const names = new Set(present.map(({ name }) => name));
const kept = [...judged].filter((name) => names.has(name)).sort();
writeFileSync(JUDGED_PATTERNS, `${JSON.stringify(kept, null, 2)}\n`);
