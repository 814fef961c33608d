export type { AccountProfile, AccountTokens } from './accounts.ts';
export type {
  ConformanceFinding,
  ConformanceReport,
  ConformanceRule,
  ConformanceVerdict,
} from './conformance.ts';
export { conformanceText } from './conformance.ts';
export type { RuleId } from './conformance-rules.ts';
export type { FaultAct, FaultHandle, FaultRule } from './faults.ts';
export { ENDPOINTS, type Endpoint } from './faults.ts';
export type { Journal, JournalEntry, JournalFilter, Outcome } from './journal.ts';
export type { SimulatorClock, SimulatorLimits, SimulatorOptions, WebhookTarget } from './options.ts';
export { type SimulatorSwitches, switchesSchema } from './options.ts';
export type { PublishStatus } from './publish-status.ts';
export type { PostView, PublishView } from './publish-views.ts';
export type { ChunkRecord } from './publishes.ts';
export { type Simulator, STAND_ALONE_OPEN_ID, startSimulator, startStandAloneSimulator } from './start-simulator.ts';
export { createTestKit, type TestKit, type TestKitOptions } from './test-kit.ts';
export type { WebhookDelivery } from './webhooks.ts';
