import type { z } from 'zod';
import type { InputProblem } from './publish-error.ts';

/**
 * What a schema found wrong, as problems that name the field; values are never quoted.
 * @param root what the input as a whole is called
 */
export function toInputProblems(issues: readonly z.core.$ZodIssue[], root: string): InputProblem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map(String).join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: [path, key].filter(Boolean).join('.'),
        message: 'unknown field: remove it or check its spelling',
      }));
    }
    return [{ path: path === '' ? root : path, message: issue.message }];
  });
}
