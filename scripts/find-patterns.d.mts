export const JUDGED_PATTERNS: string;

/** Every regular expression that is written in a source file below `src`. @param repository its folder */
export function findPatterns(
  repository: string,
): readonly { readonly path: string; readonly name: string; readonly pattern: string; readonly flags: string }[];
