import { deliveryIdOf } from '../core/subscription.ts';
import { MINUTE_MS } from '../core/units.ts';
import type { CallbackDeps } from './callback-deps.ts';
import type { HostGate } from './host-gate.ts';

/** How long an event waits for its host if the process that should wake it dies. */
const IN_LINE_MS = MINUTE_MS;

/** When an event in line runs even if nobody wakes it (ms from now). */
export function inLineMs(random: () => number): number {
  return Math.round(IN_LINE_MS * (1 + random()));
}

export interface QueueDeliveryDeps {
  readonly queues: Pick<CallbackDeps['queues'], 'addEventEntry'>;
  readonly random: () => number;
  readonly callbacks: {
    readonly gate: Pick<HostGate, 'hasLines' | 'hasLine' | 'waitFor'>;
    readonly schedule: Pick<CallbackDeps['callbacks']['schedule'], 'delaysMs'>;
  };
}

/**
 * Puts a delivery on `tiktok-events`. One to a host for which others wait goes to the end of their line, so that however
 * many there are, they stand in the way of no other host.
 * @param hostOf asked only while there are lines; undefined where there is no receiver any more
 */
export async function queueDelivery(
  entry: Parameters<CallbackDeps['queues']['addEventEntry']>[0],
  hostOf: () => Promise<string | undefined>,
  { queues, random, callbacks: { gate, schedule } }: QueueDeliveryDeps,
): Promise<void> {
  const tries = schedule.delaysMs.length + 1;
  const host = gate.hasLines() ? await hostOf() : undefined;
  if (host === undefined || !gate.hasLine(host)) return await queues.addEventEntry(entry, { tries });
  await queues.addEventEntry(entry, { tries, delayMs: inLineMs(random) });
  await gate.waitFor(host, deliveryIdOf(entry));
}
