import type { ConnectLink, ConnectLinkRequest } from '../accounts/connect-link.ts';
import type { ManagedAccounts } from '../accounts/managed-accounts.ts';
import type { JobChanges } from '../core/job-changes.ts';
import type { JobCounts } from '../core/job-counts.ts';
import type { JobFilter } from '../core/job-filter.ts';
import type { PostingPage } from '../core/posting-page.ts';
import type { PreflightReport } from '../core/preflight-report.ts';
import type { PublishEvent } from '../core/publish-event.ts';
import type { PublishJob } from '../core/publish-job.ts';
import type { NewRequest } from '../core/publish-request.ts';
import type { PauseRequest, PublishingPause } from '../core/publishing-pause.ts';
import type { RetryPlan } from '../core/retry-plan.ts';
import type { ActorOptions } from './actor.ts';
import type { Operations } from './operations.ts';

/** How a retry was carried out. */
export type RetryAction = Exclude<RetryPlan['kind'], 'refuse'>;

/** What `enqueue` answers: the job, and whether this call made it. */
export interface EnqueuedJob extends PublishJob {
  /** False when the idempotency key had been seen with the same request. */
  readonly created: boolean;
}

/** How a request is accepted. */
export interface EnqueueOptions extends ActorOptions {
  /** 1 to 255 characters. The same key with the same request gives the same job; with another request `IDEMPOTENCY_CONFLICT`. */
  readonly idempotencyKey?: string | undefined;
}

/** One entry of `enqueueBulk`. */
export interface BulkEntry extends EnqueueOptions {
  /** What to publish. */
  readonly request: NewRequest;
}

/** Which jobs to list, and which page of them; without any filter all. */
export interface ListFilter extends JobFilter {
  /** By when the jobs were accepted: newest (the default) or oldest first. */
  readonly order?: 'newest' | 'oldest' | undefined;
  /** Most jobs to return: 1 to 500, 50 by default. */
  readonly limit?: number | undefined;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** A page of jobs. */
export interface JobPage {
  /** At most `limit` jobs, in the order asked. Fewer, or none, where a search had to stop before it found more. */
  readonly jobs: readonly PublishJob[];
  /** `cursor` of the next page; null on the last one. */
  readonly nextCursor: string | null;
  /** Only while workers still index the jobs of an older version, which may be missing from this page. */
  readonly indexing?: true;
}

/** How to ask. */
export interface AskOptions {
  /** Stops the search or count; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How long to wait. */
export interface WaitOptions {
  /** Longest wait in milliseconds, 0 or more; by default there is none. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How to retry. */
export interface RetryOptions extends ActorOptions {
  /** Start again although TikTok may have published the job: you have looked and accept the risk of a second post. */
  readonly force?: boolean | undefined;
}

/** How to pause all publishing. */
export interface PauseOptions extends PauseRequest, ActorOptions {}

/** Which events to follow. */
export interface EventsOptions {
  /** Begin after this place: `cursor` of an entry that was dealt with, or `OLDEST_EVENT`. From now on without it. */
  readonly after?: string | undefined;
  /** Only what is about this job, by its id, or about this account and its jobs, by its name. */
  readonly subject?: string | undefined;
  /** Ends the feed; a `next()` that waits resolves as done. */
  readonly signal?: AbortSignal | undefined;
}

/** An event and its place on the stream. */
export interface EventEntry {
  /** Store it with what you did about the event, and give it to `events` as `after` to go on from there. */
  readonly cursor: string;
  /** What happened; look at `type` first. */
  readonly event: PublishEvent;
}

/** What `events` answers: made for `for await`. Each feed is read by one reader. */
export interface EventFeed extends AsyncIterableIterator<EventEntry, void, void> {
  /** Resolves once the place to begin is known: later events are in the feed. Rejects as the first `next()` would. */
  readonly started: Promise<void>;
  /** How far the feed has been read, entries about others included: a newer `after` than that of the last entry. */
  readonly cursor: string;
  /** The next event; waits for it, also through an outage of Redis. */
  next(): Promise<IteratorResult<EventEntry, void>>;
  /** The next events, as many as are there by now, up to 100; waits for the first as `next` does. None: the feed has ended. */
  nextPage(): Promise<readonly EventEntry[]>;
  /** Ends the feed; a `next()` that waits resolves as done. */
  return(): Promise<IteratorResult<EventEntry, void>>;
  /** Ends the feed as `return` does, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What `retry` answers: the job, and how it goes on. */
export interface RetriedJob extends PublishJob {
  /** `poll` asks TikTok again, `resume` goes on with the upload, `fresh_init` starts again. */
  readonly action: RetryAction;
}

/** The producers' side: what other apps use. Holds two Redis connections and no worker code. */
export interface Publisher {
  /**
   * Accepts a request durably: when this resolves, the job survives anything.
   * @throws PublishError `INPUT_*`, `IDEMPOTENCY_CONFLICT`, `REDIS_UNAVAILABLE`, `REDIS_NOT_REPLICATED`. After the last two the
   * job may have been accepted or not: enqueue it again with the same idempotency key
   */
  enqueue(request: NewRequest, options?: EnqueueOptions): Promise<EnqueuedJob>;
  /** Like `enqueue` for many at once; nothing is accepted unless every request is valid. Answers keep the order. */
  enqueueBulk(entries: readonly (NewRequest | BulkEntry)[]): Promise<EnqueuedJob[]>;
  /** The job as it is now; undefined: there is none of this id (any more). @throws PublishError `REDIS_UNAVAILABLE` */
  get(id: string): Promise<PublishJob | undefined>;
  /**
   * A page of the jobs that meet every condition of a filter.
   * @throws PublishError `INPUT_INVALID`, also for metadata keys that `METADATA_INDEX` does not name; `REDIS_UNAVAILABLE`
   * @example
   * const { jobs } = await publisher.list({ state: ['failed', 'unconfirmed'], metadata: { campaign: 'spring' } });
   */
  list(filter?: ListFilter, options?: AskOptions): Promise<JobPage>;
  /** How many jobs there are by state, error code and waiting reason, of all accounts or some. @throws PublishError `REDIS_UNAVAILABLE` */
  counts(filter?: Pick<JobFilter, 'account'>, options?: AskOptions): Promise<JobCounts>;
  /**
   * Cancels a job that can't have been published yet, or asks TikTok to stop a running pull; then the job ends
   * `cancelled` once TikTok says so.
   * @throws PublishError `JOB_NOT_FOUND`, `JOB_NOT_CANCELLABLE` with the reason, `REDIS_NOT_REPLICATED`
   */
  cancel(id: string, options?: ActorOptions): Promise<PublishJob>;
  /**
   * Retries a failed or unconfirmed job in the way that can't post twice: asks TikTok again, resumes the upload, or
   * starts again.
   * @throws PublishError `JOB_NOT_FOUND`, `JOB_NOT_RETRYABLE` where only `force` would do, and why
   */
  retry(id: string, options?: RetryOptions): Promise<RetriedJob>;
  /**
   * Changes the time, the priority or the post of a job that has not begun. What is left out stays; null removes a field.
   * @throws PublishError `JOB_NOT_FOUND`, `JOB_NOT_CHANGEABLE` with the reason, `INPUT_INVALID`, `INPUT_SCHEDULED_IN_PAST`,
   * `REDIS_NOT_REPLICATED`
   */
  update(id: string, changes: JobChanges, options?: ActorOptions): Promise<PublishJob>;
  /**
   * Pauses all publishing: nothing new is sent to TikTok, uploads under way finish. Jobs are still accepted.
   * @throws PublishError `INPUT_INVALID`, `REDIS_UNAVAILABLE`
   */
  pause(options?: PauseOptions): Promise<PublishingPause>;
  /** Lets all jobs go on that a pause of all publishing held back. @throws PublishError `REDIS_UNAVAILABLE` */
  resume(): Promise<void>;
  /** The pause of all publishing; null while there is none. @throws PublishError `REDIS_UNAVAILABLE` */
  paused(): Promise<PublishingPause | null>;
  /**
   * Resolves with the job once it has its outcome (any terminal state, failures included).
   * @throws PublishError `JOB_NOT_FOUND`, `WAIT_TIMED_OUT`; rejects with the signal's reason when aborted
   */
  waitForCompletion(id: string, options?: WaitOptions): Promise<PublishJob>;
  /**
   * The completion events after a place, oldest first, each once, and then those to come. Redis keeps about the newest
   * 100,000. Once it has started it waits out outages of Redis. All feeds of a publisher share one connection.
   * `next()` rejects with PublishError `INPUT_INVALID`, `REDIS_UNAVAILABLE` when it can't start, and
   * `EVENTS_CURSOR_LOST` when events that were to come next are no longer kept.
   * @example
   * for await (const { cursor, event } of publisher.events({ after: await readCursor() })) {
   *   await applyAndStore(event, cursor);
   * }
   */
  events(options?: EventsOptions): EventFeed;
  /**
   * What TikTok allows an account to post now. Ask each time you show a page on which people choose the settings of a
   * post, as TikTok's audit demands. Takes the account's token, so it needs `ENCRYPTION_KEYS` and, for
   * a token that must be renewed, `TIKTOK_CLIENT_KEY` and `TIKTOK_CLIENT_SECRET`.
   * @throws PublishError `TIKTOK_DAILY_POST_CAP`, `TIKTOK_ACTIVE_USER_CAP`, `TIKTOK_USER_BANNED` when the creator can't
   * post now; `TIKTOK_RATE_LIMITED` after 20 calls in a minute; `INPUT_ACCOUNT_UNKNOWN`, `AUTH_*`, `CONFIG_*`, `TRANSPORT_*`
   */
  creator(account: string): Promise<PostingPage>;
  /** The accounts that jobs publish to. Their tokens never come out. All calls need `ENCRYPTION_KEYS`. */
  readonly accounts: ManagedAccounts;
  /** Retry, cancel or reschedule many jobs, by a filter. */
  readonly operations: Operations;
  /**
   * A link with which the owner of a TikTok account connects it, once, at the web server of the service, whose address
   * is `PUBLIC_BASE_URL`. Needs `ENCRYPTION_KEYS`.
   * @throws PublishError `INPUT_INVALID`, also for a `returnTo` that `CONNECT_RETURN_ORIGINS` does not allow; `CONFIG_INVALID`,
   * `REDIS_UNAVAILABLE`
   * @example
   * const { url } = await publisher.connectLink({ account: 'acme', returnTo: 'https://app.example.com/settings' });
   */
  connectLink(request: ConnectLinkRequest): Promise<ConnectLink>;
  /**
   * Finds out whether a request would be refused, and enqueues nothing: the request itself and its idempotency key, its
   * video (read from here), other jobs with the same video, its account, what TikTok allows the creator just now, and
   * the limits. What can't be checked here is said in
   * `checked`: account and creator need `ENCRYPTION_KEYS`, as `creator` does, and take one of its calls.
   * @throws PublishError `REDIS_UNAVAILABLE`; what is wrong with the request is in the report
   */
  preflight(request: NewRequest, options?: EnqueueOptions): Promise<PreflightReport>;
  /** Closes the connections, ends all feeds and rejects waiting calls. */
  close(): Promise<void>;
  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
