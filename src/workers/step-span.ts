import { NO_TRACING, type NoteFacts } from '../core/tracing.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import type { Needs } from './deps.ts';

/** Runs a step of a job in a span of its trace. */
export async function inSpan<T>(
  name: string,
  { id, mode, request, initCount }: LedgerRecord,
  { tracing = NO_TRACING }: Needs<'tracing'>,
  run: (note: NoteFacts) => Promise<T>,
): Promise<T> {
  const facts = {
    'publish.job.id': id,
    'publish.mode': mode,
    'publish.source': request.media.type,
    'publish.init_count': initCount,
  };
  return await tracing.span({ name, kind: 'step', facts }, run);
}
