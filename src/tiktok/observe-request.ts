import { PublishError } from '../core/publish-error.ts';
import type { SpanFacts, Tracing } from '../core/tracing.ts';
import type { RequestObservation } from './tiktok-client.ts';

/** Told about every HTTP call once it is over. */
export type OnRequest = (observation: RequestObservation) => void;

/** What `observed` tells and to whom. */
export interface Observer {
  readonly onRequest: OnRequest;
  readonly tracing: Tracing;
}

/** Runs one HTTP call, in a span of its own, and tells how it went. */
export async function observed<T>(
  { endpoint, facts = {} }: { readonly endpoint: string; readonly facts?: SpanFacts },
  { onRequest, tracing }: Observer,
  run: (note: (answer: { httpStatus?: number; logId?: string | undefined }) => void) => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const report = (code: string) => onRequest({ endpoint, code, durationMs: performance.now() - startedAt });
  return await tracing.span(
    { name: `tiktok ${endpoint}`, kind: 'call', facts: { 'tiktok.endpoint': endpoint, ...facts } },
    async (note) => {
      const noteAnswer = ({ httpStatus, logId }: { httpStatus?: number | undefined; logId?: string | undefined }) =>
        note({ 'http.response.status_code': httpStatus, 'tiktok.log_id': logId });
      try {
        const result = await run(noteAnswer);
        note({ 'tiktok.code': 'ok' });
        report('ok');
        return result;
      } catch (error) {
        const code = observationCode(error);
        note({ 'tiktok.code': code });
        if (error instanceof PublishError) {
          noteAnswer({ httpStatus: error.details.httpStatus, logId: error.details.tiktokLogId });
        }
        report(code);
        throw error;
      }
    },
  );
}

/** A code that is fit for a metric's label: TikTok's own if it gave one of the usual form. */
function observationCode(error: unknown): string {
  if (!(error instanceof PublishError)) return 'aborted';
  const { tiktokCode, httpStatus } = error.details;
  if (tiktokCode !== undefined) return /^[a-z0-9_]{1,64}$/.test(tiktokCode) ? tiktokCode : 'unreadable';
  return httpStatus !== undefined && httpStatus >= 300 ? `http_${httpStatus}` : error.code;
}
