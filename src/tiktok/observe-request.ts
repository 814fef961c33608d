import { PublishError } from '../core/publish-error.ts';
import type { RequestObservation } from './tiktok-client.ts';

/** Told about every HTTP call once it is over. */
export type OnRequest = (observation: RequestObservation) => void;

/** Runs one HTTP call and tells how it went. */
export async function observed<T>(endpoint: string, onRequest: OnRequest, run: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const report = (code: string) => onRequest({ endpoint, code, durationMs: performance.now() - startedAt });
  try {
    const result = await run();
    report('ok');
    return result;
  } catch (error) {
    report(observationCode(error));
    throw error;
  }
}

/** A code that is fit for a metric's label: TikTok's own if it gave one of the usual form. */
function observationCode(error: unknown): string {
  if (!(error instanceof PublishError)) return 'aborted';
  const { tiktokCode, httpStatus } = error.details;
  if (tiktokCode !== undefined) return /^[a-z0-9_]{1,64}$/.test(tiktokCode) ? tiktokCode : 'unreadable';
  return httpStatus !== undefined && httpStatus >= 300 ? `http_${httpStatus}` : error.code;
}
