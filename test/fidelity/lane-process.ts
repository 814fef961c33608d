import { once } from 'node:events';
import { join } from 'node:path';
import { playedReport } from './case-report.ts';
import { readCombination } from './factors.ts';
import type { CaseOrder } from './lane.ts';
import { playCase } from './play-case.ts';

/* Plays one case after the other, as it is told, and reports each. Ends when nobody tells it any more. */

const programs = join(import.meta.dirname, '..', '..');
process.on('message', async ({ index, seed, combination }: CaseOrder) => {
  const startedAt = performance.now();
  const played = await playCase(programs, readCombination(combination), seed * 10_007 + index);
  process.send?.(playedReport({ index, seed, combination, played, lastedMs: performance.now() - startedAt }));
});
// A Ctrl-C comes to every process; the run lets the case under way end.
process.on('SIGINT', () => undefined);
await once(process, 'disconnect');
process.exit();
