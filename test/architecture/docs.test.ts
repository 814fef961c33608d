import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { ALL_PUBLISH_STATES } from '../../src/core/publish-state.ts';
import { anchorsOf, withoutCode } from './anchors.ts';
import { REPOSITORY, readRepositoryFile } from './source-files.ts';

const pages = ['.', 'docs', ...readdirSync(join(REPOSITORY, 'src')).map((room) => `src/${room}`)].flatMap((folder) =>
  readdirSync(join(REPOSITORY, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

/** Top-level commands, and those of groups as two words. */
const commands = buildProgram(new Command(), async () => undefined).commands.flatMap((command) => [
  command.name(),
  ...command.commands.map((sub) => `${command.name()} ${sub.name()}`),
]);

describe('a page', () => {
  it.each(pages)('%s links to files that exist', (page) => {
    const targets = [...readRepositoryFile(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    const files = targets.filter((target) => !/^(https?:|#)/.test(target)).map((target) => target.replace(/#.*$/, ''));
    expect(files.filter((file) => !existsSync(join(REPOSITORY, dirname(page), file)))).toEqual([]);
  });

  it.each(pages)('%s links to headings that exist', (page) => {
    const targets = [...withoutCode(readRepositoryFile(page)).matchAll(/\]\(([^)\s]*)#([^)\s]+)\)/g)];
    const ours = targets.filter(([, file = '']) => !/^https?:/.test(file) && (file === '' || file.endsWith('.md')));
    const missing = ours.filter(([, file = '', anchor = '']) => {
      const target = file === '' ? page : join(dirname(page), file);
      return !anchorsOf(readRepositoryFile(target)).has(anchor);
    });
    expect(missing.map(([whole]) => whole)).toEqual([]);
  });

  it.each(pages)('%s names files of this repository that exist', (page) => {
    const named = [
      ...readRepositoryFile(page).matchAll(/`((?:src|test|docs|examples|deploy|scripts)\/[\w./-]*\w)\/?`/g),
    ].map(([, file = '']) => file);
    expect(named.filter((file) => !existsSync(join(REPOSITORY, file)))).toEqual([]);
  });

  it.each([...pages, 'docker-compose.yml'])('%s names commands that exist', (page) => {
    const text = readRepositoryFile(page);
    const named = [...text.matchAll(/(?:`|npx |\| )tiktok-publisher ([a-z]+)(?: ([a-z]+))?/g)];
    const unknown = named.filter(([, first = '', second = '']) => {
      const isGroup = commands.some((command) => command.startsWith(`${first} `));
      return !commands.includes(isGroup && second !== '' ? `${first} ${second}` : first);
    });
    expect(unknown.map(([whole]) => whole)).toEqual([]);
  });
});

describe('the README', () => {
  const readme = readRepositoryFile('README.md');

  it('begins with the two commands to try', () => {
    expect(readme.split('\n').slice(0, 6).join('\n')).toMatch(/npm run demo .*\nnpm test /);
  });

  it('lists every command', () => {
    const groups = new Set(commands.filter((name) => name.includes(' ')).map((name) => name.split(' ')[0]));
    const missing = commands.filter(
      (name) => !groups.has(name) && !new RegExp(`^\\|.*\`${name}[ \`]`, 'm').test(readme),
    );
    expect(missing).toEqual([]);
  });

  it('names every state', () => {
    expect(ALL_PUBLISH_STATES.filter((state) => !readme.includes(`\`${state}\``))).toEqual([]);
  });
});
