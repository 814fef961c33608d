/**
 * The code that an error carries, of the operating system (`ENOENT`) as of a library; undefined where there is none.
 * Redis puts its codes into the text: see `redisCodeOf`.
 */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Whether `error` is the operating system's error `code`, such as `ENOENT`. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  const code = codeOf(error);
  return code !== undefined && codes.includes(code);
}
