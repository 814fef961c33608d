import { describe, expect, it } from 'vitest';
import { sourceFiles } from './source-files.ts';

const sources = sourceFiles('src');
const all = [...sources, ...sourceFiles('test')];

/** Names that say nothing about what is inside. */
const EMPTY_WORDS = ['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'shared', 'lib', 'manager', 'types'];
/** Two screens are what one reads at once; a file beyond this is two files. */
const MAX_LINES = 270;

describe('a file', () => {
  it('is named in kebab-case', () => {
    const wrong = all.filter(({ path }) => !/^[a-z0-9-]+(\.test|\.d)?\.ts$/.test(path.split('/').at(-1) ?? ''));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('is named after what it holds', () => {
    const wordsOf = (path: string): string[] => path.replace(/\.ts$/, '').split(/[/.-]/);
    const empty = all.filter(({ path }) => wordsOf(path).some((word) => EMPTY_WORDS.includes(word)));
    expect(empty.map(({ path }) => path)).toEqual([]);
  });

  it(`of src has at most ${MAX_LINES} lines`, () => {
    const long = sources.filter(({ text }) => text.split('\n').length > MAX_LINES);
    expect(long.map(({ path }) => path)).toEqual([]);
  });
});

describe('what src exports', () => {
  it('says what it is for, in a comment', () => {
    const bare = sources.flatMap(({ path, text }) => {
      const lines = text.split('\n');
      return lines
        .filter((line, index) => isExportToExplain(line) && !/\*\/$/.test(lines[index - 1] ?? ''))
        .map((line) => `${path}: ${line}`);
    });
    expect(bare).toEqual([]);
  });
});

function isExportToExplain(line: string): boolean {
  return /^export (async )?(function|class)\b/.test(line);
}
