import type { DeliveryAttempt } from '../../core/delivery-reports.ts';
import { timeText } from '../../core/quantity-text.ts';
import { listTable, shown } from './console-page.ts';

/** What was sent to an endpoint and what it answered, newest first. */
export function attemptsTable(attempts: readonly DeliveryAttempt[]): string {
  if (attempts.length === 0) return '<p>Nothing was sent yet.</p>';
  return listTable(['When', 'Event', 'Attempt', 'Outcome', 'Answer'], attempts.map(cellsOf));
}

function cellsOf({ at, type, attempt, outcome, status, durationMs, code, message }: DeliveryAttempt): string[] {
  const trouble = shown([code, message].filter(Boolean).join(': '));
  const answer = [status === null ? '' : `HTTP ${status}`, trouble, durationMs === 0 ? '' : `${durationMs} ms`];
  return [
    timeText(at),
    shown(type),
    String(attempt),
    `<span class="${outcome === 'delivered' ? 'good' : 'bad'}">${outcome}</span>`,
    answer.filter(Boolean).join(', '),
  ];
}
