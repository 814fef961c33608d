import { createPublisherFromConfig } from '../app/create-publisher.ts';
import { withSettings } from '../config/given-settings.ts';
import { loadPublisherConfig } from '../config/guest-config.ts';
import type { Publisher } from './publisher.ts';

/** Where a publisher finds its queue. What is left out comes from the environment, as in docs/configuration.md. */
export interface PublisherOptions {
  /** `redis://` or `rediss://`; instead of `REDIS_URL`. */
  readonly redisUrl?: string;
  /** The queue's hash tag; instead of `QUEUE_PREFIX`. */
  readonly queuePrefix?: string;
}

/**
 * A publisher for this process: enqueue, look at and wait for publish jobs. It reads the settings that it uses and no others.
 *
 * @throws ConfigError when a setting is wrong, with every problem
 * @example
 * const publisher = createPublisher();
 * const job = await publisher.enqueue({
 *   account: 'acme', mode: 'direct', media: { type: 'file', path: '/videos/a.mp4' },
 *   post: { title: 'Hello', privacyLevel: 'SELF_ONLY' },
 * });
 */
export function createPublisher(options: PublisherOptions = {}): Publisher {
  return createPublisherFromConfig(
    loadPublisherConfig(
      withSettings(process.env, {
        ...(options.redisUrl !== undefined && { REDIS_URL: options.redisUrl }),
        ...(options.queuePrefix !== undefined && { QUEUE_PREFIX: options.queuePrefix }),
      }),
    ),
  );
}

export type { AccountInput } from '../accounts/account-input.ts';
export type { AccountSummary } from '../accounts/account-record.ts';
export type { ConnectLink, ConnectLinkRequest } from '../accounts/connect-link.ts';
export type { ConnectedAccount, ManagedAccounts, RemovedAccount } from '../accounts/managed-accounts.ts';
export { ConfigError, type SettingProblem } from '../config/config-error.ts';
export type { CreatorInfo } from '../core/creator-rules.ts';
export type { ErrorCode } from '../core/error-table.ts';
export { OLDEST_EVENT } from '../core/event-cursor.ts';
export type { JobChanges } from '../core/job-changes.ts';
export type { JobCounts } from '../core/job-counts.ts';
export type { JobFilter } from '../core/job-filter.ts';
export type { AudioFacts, MediaFacts, VideoFacts } from '../core/media-facts.ts';
export type {
  DirectPostSettings,
  DirectRequest,
  FileMedia,
  InboxRequest,
  Media,
  NewRequest as PublishRequest,
  PhotoItem,
  PhotosMedia,
  PostSettings,
  PrivacyLevel,
  PublishMode,
  PullMedia,
  S3Media,
  UrlMedia,
} from '../core/new-request.ts';
export type {
  Operation,
  OperationKind,
  OperationPreview,
  OperationRefusal,
  OperationRequest,
  OperationState,
  OperationTotals,
  OperationWay,
  PlannedJob,
  StartedOperation,
} from '../core/operation.ts';
export type { PostingPage } from '../core/posting-page.ts';
export type { PreflightFinding } from '../core/preflight-finding.ts';
export type { CheckedPart, PreflightReport } from '../core/preflight-report.ts';
export type { InputProblem, SafeDetails } from '../core/publish-error.ts';
export { PublishError } from '../core/publish-error.ts';
export type { AccountEventData, JobEventData, PublishEvent, PublishEventType } from '../core/publish-event.ts';
export type { PublishFailure, PublishJob, TimelineEntry } from '../core/publish-job.ts';
export type { PublishState, WaitReason } from '../core/publish-state.ts';
export type { PauseRequest, PublishingPause } from '../core/publishing-pause.ts';
export type { Operations, PreviewPage, StartOptions } from './operations.ts';
export type {
  AskOptions,
  BulkEntry,
  EnqueuedJob,
  EnqueueOptions,
  EventEntry,
  EventFeed,
  EventsOptions,
  JobPage,
  ListFilter,
  Publisher,
  RetriedJob,
  RetryAction,
  RetryOptions,
  WaitOptions,
} from './publisher.ts';
