import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import { codeOf, isErrno } from '../../../src/core/system-error.ts';

function errorOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

describe('the code of an error', () => {
  it('is the one that Node, a library or this program gave it', () => {
    const missing = errorOf(() => readFileSync('/no/such/file'));
    expect(codeOf(missing)).toBe('ENOENT');
    expect(isErrno(missing, 'EACCES', 'ENOENT')).toBe(true);
    expect(isErrno(missing, 'EACCES')).toBe(false);
    expect(codeOf(new PublishError('INTERNAL_ERROR'))).toBe('INTERNAL_ERROR');
  });

  it.each([
    new Error('no code'),
    Object.assign(new Error('a number'), { code: 7 }),
    { code: 'ENOENT' },
    'ENOENT',
    null,
  ])('is none of %s', (error) => {
    expect(codeOf(error)).toBeUndefined();
    expect(isErrno(error, 'ENOENT')).toBe(false);
  });
});
