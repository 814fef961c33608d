import type { InputProblem } from './publish-error.ts';

const INEXACT =
  'expected a number that JSON keeps exactly, from -(2^53-1) to 2^53-1: write it as a text, in quotation marks';

/** An integer beyond 2^53 was rounded, whatever it was before; what JSON can't write at all is lost. */
export function inexactNumbers(value: unknown, path: string): InputProblem[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([name, inner]) => inexactNumbers(inner, `${path}.${name}`));
  }
  if (typeof value !== 'number' && typeof value !== 'bigint') return [];
  const isExact = Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
  return isExact ? [] : [{ path, message: INEXACT }];
}
