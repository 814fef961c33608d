/** A limit of time that is being kept. */
export interface RefreshTimeout {
  readonly signal: AbortSignal;
  /** To be called when the answer is there, or will not come. */
  stop(): void;
}

/**
 * A process that was frozen finds its timers over before it has read what arrived meanwhile. TikTok's new tokens may be
 * in there, and nobody can get them twice, so there is this time left to read them (ms).
 */
const READING_MS = 1_000;

/** Limits how long TikTok may take to answer a refresh (ms). */
export function startRefreshTimeout(timeoutMs: number): RefreshTimeout {
  const controller = new AbortController();
  const abort = () => controller.abort(new DOMException('no response in time', 'TimeoutError'));
  let timer = setTimeout(() => {
    timer = setTimeout(abort, READING_MS);
  }, timeoutMs);
  return { signal: controller.signal, stop: () => clearTimeout(timer) };
}
