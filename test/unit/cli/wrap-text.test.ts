import { describe, expect, it } from 'vitest';
import { wrapText } from '../../../src/cli/cli-io.ts';

describe('text on a terminal', () => {
  it('breaks between words, below what it belongs to', () => {
    const finding = 'WRONG  redis     it may throw jobs away when it is full: set noeviction';
    expect(wrapText(finding, 50).split('\n')).toEqual([
      'WRONG  redis     it may throw jobs away when it is',
      '                 full: set noeviction',
    ]);
    expect(wrapText('  - PORT: expected a whole number', 20).split('\n')).toEqual([
      '  - PORT: expected a',
      '  whole number',
    ]);
    expect(wrapText('state       failed: the picture is too small', 36).split('\n')).toEqual([
      'state       failed: the picture is',
      '            too small',
    ]);
    expect(wrapText('Look at its failure: correct the cause', 22).split('\n')).toEqual([
      'Look at its failure:',
      'correct the cause',
    ]);
  });

  it('gives labels no more room than they leave', () => {
    const lines = wrapText('WRONG  redis     it may throw jobs away', 30).split('\n');
    expect(lines).toEqual(['WRONG  redis     it may throw', '  jobs away']);
  });

  it('keeps what has no spaces whole, and changes nothing where there is no terminal or enough room', () => {
    const url = `see ${'https://example.com/'.repeat(5)}`;
    expect(wrapText(url, 40).split('\n')).toEqual(['see', url.slice(4)]);
    for (const text of ['a  b  c d', '', 'one\n\n  two ', '  - x', 'a '.repeat(60)]) {
      expect(wrapText(text, undefined)).toBe(text);
      expect(wrapText(text, 200)).toBe(text);
    }
  });
});
