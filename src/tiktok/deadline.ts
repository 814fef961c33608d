/** The reason of an abort by `withDeadline`. */
export class DeadlineReachedError extends Error {
  readonly code = 'DEADLINE_REACHED';
  constructor(deadlineMs: number) {
    super(`no response within ${deadlineMs} ms`);
    this.name = 'DeadlineReachedError';
  }
}

/**
 * A process that was frozen finds its timers over before it has read what arrived meanwhile. An answer that is there
 * counts, so the deadline leaves this time to read it (ms).
 */
const READING_MS = 100;

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
  const abort = () => controller.abort(new DeadlineReachedError(deadlineMs));
  let timer = setTimeout(() => {
    timer = setTimeout(abort, READING_MS);
  }, deadlineMs);
  callerSignal?.addEventListener('abort', followCaller, { once: true });
  try {
    return await run(controller.signal);
  } finally {
    clearTimeout(timer);
    callerSignal?.removeEventListener('abort', followCaller);
  }
}
