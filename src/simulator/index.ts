import type { AccountTokens } from './accounts.ts';
import type { SimulatorOptions } from './options.ts';
import type { Simulator } from './simulator.ts';
import { startSimulator } from './start-simulator.ts';

export type { AccountProfile, AccountTokens } from './accounts.ts';
export type { ChunkRecord } from './chunk-record.ts';
export { ENDPOINTS, type Endpoint } from './endpoints.ts';
export type { FaultAct, FaultHandle, FaultRule } from './faults.ts';
export type { Journal, JournalEntry, JournalFilter, Outcome } from './journal.ts';
export type { SimulatorClock, SimulatorLimits, SimulatorOptions, WebhookTarget } from './options.ts';
export { type SimulatorSwitches, switchesSchema } from './options.ts';
export type { PublishStatus } from './publish-status.ts';
export type { PostView, PublishView } from './publish-views.ts';
export type { Simulator } from './simulator.ts';
export { startSimulator } from './start-simulator.ts';
export type { WebhookDelivery } from './webhooks.ts';

/** Like TikTok towards a person who tries things out: seconds of processing, real pulls from any URL. */
const STAND_ALONE_OPTIONS: SimulatorOptions = {
  processingMs: 3_000,
  moderationMs: 1_000,
  fetchPulls: true,
  switches: { pullUrlRules: 'off' },
};

/** The open_id of the account that a stand-alone simulator starts with. */
export const STAND_ALONE_OPEN_ID = 'simulated-creator';

/** Starts a simulator for use by other processes, with one account ready to be added to a publisher. */
export async function startStandAloneSimulator(
  options: SimulatorOptions = {},
): Promise<{ simulator: Simulator; account: AccountTokens }> {
  const switches = { ...STAND_ALONE_OPTIONS.switches, ...options.switches };
  const simulator = await startSimulator({ ...STAND_ALONE_OPTIONS, ...options, switches });
  const account = simulator.addAccount({ openId: STAND_ALONE_OPEN_ID, username: 'simulated_creator' });
  return { simulator, account };
}
