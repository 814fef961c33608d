import { EXIT_CODES } from './exit-codes.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** Wrappers such as npx and timeout pass on the Ctrl-C that the terminal has sent to all of its processes. */
const SAME_REQUEST_MS = 500;

/** The person or the system asked the process to stop. */
export class Interrupted extends Error {
  readonly signal: (typeof SIGNALS)[number];

  constructor(signal: (typeof SIGNALS)[number]) {
    super(`interrupted by ${signal}`);
    this.name = 'Interrupted';
    this.signal = signal;
  }
}

/**
 * Runs something that Ctrl-C and SIGTERM end through its signal, whose reason is then an {@link Interrupted}.
 * A second Ctrl-C ends the process at once, whatever still runs.
 */
export async function interruptible<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let askedAt: number | undefined;
  const onSignal = (signal: (typeof SIGNALS)[number]) => {
    askedAt ??= performance.now();
    if (performance.now() - askedAt > SAME_REQUEST_MS) process.exit(EXIT_CODES.interrupted);
    controller.abort(new Interrupted(signal));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await run(controller.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
