/** The reason of an abort by `withDeadline`. */
export class DeadlineReachedError extends Error {
  readonly code = 'DEADLINE_REACHED';
  constructor(deadlineMs: number) {
    super(`no answer within ${deadlineMs} ms`);
    this.name = 'DeadlineReachedError';
  }
}

/**
 * Runs something that stops on either the caller's signal or the deadline. By hand, since Node 20's `AbortSignal.any`
 * keeps every derived signal alive as long as the caller's, which here is the life of the process.
 */
export async function withDeadline<T>(
  deadlineMs: number,
  callerSignal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const followCaller = () => controller.abort(callerSignal?.reason);
  const timer = setTimeout(() => controller.abort(new DeadlineReachedError(deadlineMs)), deadlineMs);
  callerSignal?.addEventListener('abort', followCaller, { once: true });
  try {
    return await run(controller.signal);
  } finally {
    clearTimeout(timer);
    callerSignal?.removeEventListener('abort', followCaller);
  }
}
