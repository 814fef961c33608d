import type { Logger } from 'pino';
import type { AccountNames } from '../accounts/account-names.ts';
import type { ErrorCode } from '../core/error-table.ts';
import type { PollSchedule } from '../core/poll-schedule.ts';
import type { Clock, LinkToMedia, LookAtPhoto, OpenMedia, ProbeMedia, Sealer, TokenSource } from '../core/ports.ts';
import type { RequestSecrets } from '../core/request-secrets.ts';
import type { RetryPolicy } from '../core/retry-policy.ts';
import type { Tracing } from '../core/tracing.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerReader } from '../ledger/ledger-reader.ts';
import type { OperationStore, StoredOperation } from '../ledger/operations.ts';
import type { Queues } from '../ledger/queues/queues.ts';
import type { StatisticsStore } from '../ledger/statistics-store.ts';
import type { VideoClaims } from '../ledger/video-claims.ts';
import type { Caps } from '../limits/caps.ts';
import type { CreatorCache } from '../limits/creator-cache.ts';
import type { Facts } from '../limits/facts.ts';
import type { Lanes } from '../limits/lanes.ts';
import type { PauseStore } from '../limits/publishing-pause.ts';
import type { Reservations } from '../limits/reservations.ts';
import type { MeasureStep, Metrics } from '../observability/metrics.ts';
import type { TikTokClient } from '../tiktok/index.ts';
import type { WebhookReception } from '../tiktok-webhooks/webhook-reception.ts';
import type { LedgerGuard } from './runtime/ledger-guard.ts';
import type { Recovery } from './runtime/recovery.ts';
import type { PollTimes } from './status/poll-times.ts';

/** Numbers that shape the workers' behaviour. */
export interface WorkerSettings {
  /** Preferred chunk size (bytes); the plan clamps it to what TikTok accepts. */
  readonly chunkSizeBytes: number;
  /** How long finished jobs are kept (ms). */
  readonly retentionMs: number;
  /** How long a job may wait for quotas, caps and its account before it fails (ms). */
  readonly maxWaitMs: number;
  /** How long TikTok's own download may stand still before it is stopped (ms). */
  readonly pullStallMs: number;
  readonly pollSchedule: PollSchedule;
  readonly retryPolicy: RetryPolicy;
  /** What happens to a post that TikTok would refuse: `refuse` it before anything is sent, `warn`, or `off`. */
  readonly preflight: 'refuse' | 'warn' | 'off';
  /** What happens to a job whose video its account has, unless its request says otherwise. */
  readonly onDuplicate: 'allow' | 'warn' | 'refuse';
  /** When the owner of a queue entry counts as dead. */
  readonly recovery: Recovery;
}

/** Everything the processors work with, built once in `src/app`. */
export interface WorkerDeps {
  readonly ledger: Ledger;
  /** Notices that Redis was set back to an older state. */
  readonly ledgerGuard: LedgerGuard;
  readonly queues: Queues;
  readonly tiktok: TikTokClient;
  readonly tokens: TokenSource;
  readonly reservations: Reservations;
  readonly caps: Caps;
  readonly facts: Facts;
  readonly creators: CreatorCache;
  readonly videoClaims: VideoClaims;
  readonly lanes: Lanes;
  readonly publishingPause: PauseStore;
  readonly statistics: StatisticsStore;
  readonly pollTimes: PollTimes;
  readonly accountNames: AccountNames;
  readonly sealer: Sealer;
  readonly requestSecrets: RequestSecrets;
  readonly openMedia: OpenMedia;
  /** Looks at a photo before TikTok downloads it. */
  readonly lookAtPhoto: LookAtPhoto;
  /** Makes the links by which TikTok downloads media from our web server; undefined where nobody knows its address. */
  readonly linkToMedia: LinkToMedia | undefined;
  /** Looks into a video before its upload. */
  readonly probeMedia: ProbeMedia;
  /** Where it is noted that TikTok's reports stay away, so that polls must be frequent. */
  readonly webhooks: Pick<WebhookReception, 'noteMissing'>;
  /** Operations on many jobs, and how one is done to a job. */
  readonly operations: OperationStore;
  readonly findJobs: LedgerReader['find'];
  readonly operateOnJob: (id: string, operation: StoredOperation) => Promise<void>;
  /** Holds an account back until a person resumes it. */
  readonly pauseAccount: (account: string, code: ErrorCode) => Promise<unknown>;
  /** Publishes again what other processes read in Redis (the sealing key, the lane limit), should Redis have lost it. */
  readonly restorePublished: () => Promise<void>;
  readonly clock: Clock;
  /** Numbers from 0 to 1, for jitter. */
  readonly random: () => number;
  /** Undefined where nobody wants traces. */
  readonly tracing: Tracing | undefined;
  readonly metrics: Metrics;
  readonly measureStep: MeasureStep;
  readonly log: Logger;
  readonly settings: WorkerSettings;
}

/** The part of it that a function uses, so that its signature tells what it touches. */
export type Needs<Member extends keyof WorkerDeps> = Pick<WorkerDeps, Member>;
