import { setTimeout as sleep } from 'node:timers/promises';

interface EventuallyOptions {
  /** How long to keep trying before the last error is thrown, in ms; as `PATIENTLY` unless told. */
  readonly timeoutMs?: number;
  /** Pause between tries, in ms. */
  readonly intervalMs?: number;
}

/** For waits that end with an event: longer than a busy machine needs, so that only what hangs fails. */
export const PATIENTLY = { timeoutMs: 90_000 } as const;

/**
 * Calls `attempt` until it neither throws nor returns `false`, and returns what it returned. The only poller of
 * the tests: everything else waits for events.
 */
export async function eventually<T>(attempt: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const { timeoutMs = PATIENTLY.timeoutMs, intervalMs = 20 } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const outcome = await tryOnce(attempt);
    if (outcome.kind === 'passed') return outcome.value;
    if (performance.now() >= deadline) throw outcome.error;
    await sleep(intervalMs);
  }
}

type Outcome<T> = { readonly kind: 'passed'; readonly value: T } | { readonly kind: 'failed'; readonly error: unknown };

async function tryOnce<T>(attempt: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    const value = await attempt();
    if (value === false) return { kind: 'failed', error: new Error('the condition never became true') };
    return { kind: 'passed', value };
  } catch (error) {
    return { kind: 'failed', error };
  }
}
