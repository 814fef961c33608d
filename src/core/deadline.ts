/** Stops waiting at an abort, with its reason; the work itself continues. */
export function orAbort<T>(waiting: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return waiting;
  if (signal.aborted) {
    waiting.catch(() => undefined);
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    waiting.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Resolves when the signal is aborted, at once if it is already: such a signal tells no listener any more. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Of a time limit, the part that is left for reading; see {@link afterTime}. */
const READING_PART = 0.2;

/**
 * Calls something when a time is up, in two steps: after a freeze, timers fire before the process reads what arrived
 * meanwhile, and the second step is the time to read it.
 * @param holdsProcess false: a process that has nothing else to do ends
 * @returns stops it
 */
export function afterTime(ms: number, onTimeUp: () => void, { holdsProcess = true } = {}): () => void {
  const start = (delayMs: number, next: () => void): NodeJS.Timeout => {
    const started = setTimeout(next, delayMs);
    return holdsProcess ? started : started.unref();
  };
  let timer = start(ms * (1 - READING_PART), () => {
    timer = start(ms * READING_PART, onTimeUp);
  });
  return () => clearTimeout(timer);
}

/**
 * Stops waiting when the time is up, with what `late` returns or throws; the work itself continues.
 * @param holdsProcess false: a process that has nothing else to do ends
 */
export async function orLate<T, L>(
  waiting: Promise<T>,
  { withinMs, late, holdsProcess = true }: { withinMs: number; late: () => L; holdsProcess?: boolean },
): Promise<T | L> {
  let stop = (): void => undefined;
  const timeUp = new Promise<void>((resolve) => {
    stop = afterTime(withinMs, resolve, { holdsProcess });
  });
  try {
    return await Promise.race([waiting, timeUp.then(late)]);
  } finally {
    stop();
  }
}

/** The longest time that a timer of Node can hold: 24 days (ms). Nobody waits for more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A limit of time for a call that stops at a signal. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** To be called when the call is over: leaves no timer and no listener behind. */
  stop(): void;
}

export interface DeadlineOptions {
  readonly withinMs: number;
  /** What the signal is aborted with when the time is up. */
  readonly reason: () => unknown;
  /** The caller's own signal, which ends the call too. */
  readonly signal?: AbortSignal | undefined;
  /**
   * After a freeze, timers fire before the process reads what arrived meanwhile. This is the time to read such an
   * answer, which still counts (ms).
   */
  readonly readingMs?: number;
}

/**
 * Starts a deadline. Not by `AbortSignal.any`: Node 20's keeps every derived signal alive as long as the caller's, which
 * often is the life of the process.
 */
export function startDeadline({ withinMs, reason, signal, readingMs = 0 }: DeadlineOptions): Deadline {
  const controller = new AbortController();
  const followCaller = () => controller.abort(signal?.reason);
  const abort = () => controller.abort(reason());
  let timer: NodeJS.Timeout | undefined;
  const onTimeUp = () => {
    if (readingMs === 0) abort();
    else timer = setTimeout(abort, readingMs);
  };
  if (withinMs <= LONGEST_TIMER_MS) timer = setTimeout(onTimeUp, withinMs);
  const stop = () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', followCaller);
  };
  if (signal?.aborted) followCaller();
  else signal?.addEventListener('abort', followCaller, { once: true });
  return { signal: controller.signal, stop };
}

/** Runs a call within a deadline. */
export async function withDeadline<T>(options: DeadlineOptions, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, stop } = startDeadline(options);
  try {
    return await run(signal);
  } finally {
    stop();
  }
}
