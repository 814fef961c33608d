import type { ConnectLinks } from '../accounts/connect-link.ts';
import type { ManagedAccounts } from '../accounts/managed-accounts.ts';
import { parseJobQuery } from '../core/job-filter.ts';
import type { PostingPage } from '../core/posting-page.ts';
import type { PreflightReport } from '../core/preflight-report.ts';
import { jobNotFound, PublishError } from '../core/publish-error.ts';
import type { PublishJob } from '../core/publish-job.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import type { LedgerReader } from '../ledger/ledger-reader.ts';
import type { PauseStore } from '../limits/publishing-pause.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { withRedisErrors } from '../redis/redis-unavailable.ts';
import { actorIn } from './actor.ts';
import { type ChangeDeps, cancelJob, retryJob } from './change-job.ts';
import { publisherClosed } from './closed.ts';
import { type AcceptableEntry, type EnqueueDeps, enqueueEntries, parseEntries } from './enqueue.ts';
import { createEventLooks } from './event-looks.ts';
import { createEventTail, type TailConnection } from './event-tail.ts';
import { followEvents } from './follow-events.ts';
import { createOperations, type OperationParts } from './operations.ts';
import { pausePublishing, resumePublishing } from './pause-publishing.ts';
import type { EnqueuedJob, EnqueueOptions, Publisher } from './publisher.ts';
import { updateJob } from './update-job.ts';
import { waitForCompletion } from './wait-for-completion.ts';

/** What a publisher works with once it is connected. */
export interface PublisherConnection extends EnqueueDeps, ChangeDeps, OperationParts {
  readonly publishingPause: PauseStore;
  readonly reader: Pick<LedgerReader, 'read' | 'list' | 'find' | 'count'>;
  readonly redis: RedisClient;
  /** A connection of its own, for commands that block. */
  connectBlocking(): Promise<TailConnection>;
  openAccounts(): Promise<PublisherAccounts>;
  preflight(request: PublishRequest, options: EnqueueOptions): Promise<PreflightReport>;
}

/** What the calls about accounts need; opened when the first of them is made. */
interface PublisherAccounts {
  readonly accounts: ManagedAccounts;
  readonly connectLinks: Pick<ConnectLinks, 'create'>;
  askCreator(account: string): Promise<PostingPage>;
}

/** What a publisher is made of. */
export interface PublisherParts {
  /** The stream of events. */
  readonly eventsKey: string;
  /** Refuses callbacks that would never be delivered. @throws PublishError `INPUT_INVALID` */
  checkCallbacks(entries: readonly AcceptableEntry[]): Promise<void>;
  /** Connects unless it is connected already. */
  open(): Promise<PublisherConnection>;
  close(): Promise<void>;
}

/** The producers' side. Whatever it cannot do while Redis is away fails at once. */
export function createPublisher({ eventsKey, checkCallbacks, ...parts }: PublisherParts): Publisher {
  let closed = false;

  async function open(): Promise<PublisherConnection> {
    if (closed) throw publisherClosed();
    return await parts.open();
  }

  const tail = createEventTail({
    eventsKey,
    connect: async () => await (await open()).connectBlocking(),
  });
  const connect = async () => (await open()).redis;
  const looks = createEventLooks({ connect, eventsKey });
  const read: Publisher['get'] = async (id) => await withRedisErrors(async () => await (await open()).reader.read(id));

  async function present(id: string): Promise<PublishJob> {
    const job = await read(id);
    if (job === undefined) throw jobNotFound(id);
    return job;
  }

  /** Feeds that still look for their start: what this publisher enqueues after the call belongs to them. */
  const starting = new Set<Promise<unknown>>();

  async function accept(entries: readonly AcceptableEntry[]): Promise<EnqueuedJob[]> {
    await checkCallbacks(entries);
    if (starting.size > 0) await Promise.all(starting);
    return await withRedisErrors(async () => await enqueueEntries(entries, await open()));
  }

  const openAccounts = async () => await (await open()).openAccounts();
  const openManaged = async () => (await withRedisErrors(openAccounts)).accounts;

  const publisher: Publisher = {
    async enqueue(request, options = {}) {
      const [job] = await accept(parseEntries([{ request, ...options }]));
      if (job === undefined) throw new PublishError('INTERNAL_ERROR', { reason: 'enqueue created no job' });
      return job;
    },
    async enqueueBulk(requests) {
      return await accept(parseEntries(requests));
    },
    get: read,
    async list(filter = {}, { signal } = {}) {
      const query = parseJobQuery(filter);
      return await withRedisErrors(async () => await (await open()).reader.list(query, signal));
    },
    async pause(options = {}) {
      return await withRedisErrors(async () => await pausePublishing(options, await open()));
    },
    async resume() {
      await withRedisErrors(async () => await resumePublishing(await open()));
    },
    async paused() {
      return await withRedisErrors(async () => (await (await open()).publishingPause.read()) ?? null);
    },
    async counts({ account } = {}, { signal } = {}) {
      const accounts = account === undefined ? undefined : [account].flat();
      return await withRedisErrors(async () => await (await open()).reader.count(accounts, signal));
    },
    async cancel(id, options = {}) {
      const by = actorIn(options);
      await withRedisErrors(async () => await cancelJob(id, by, await open()));
      return await present(id);
    },
    async retry(id, options = {}) {
      const by = actorIn(options);
      const { force = false } = options;
      const action = await withRedisErrors(async () => await retryJob(id, { force, by }, await open()));
      return { ...(await present(id)), action };
    },
    async update(id, changes, options = {}) {
      const by = actorIn(options);
      await withRedisErrors(async () => await updateJob(id, { changes, by }, await open()));
      return await present(id);
    },
    async waitForCompletion(id, options = {}) {
      return await waitForCompletion(id, options, { tail, read });
    },
    events(options = {}) {
      const feed = followEvents(options, {
        ...{ tail, looks, connect, eventsKey },
        createdAt: async (id) => {
          const job = await read(id);
          return job === undefined ? undefined : Date.parse(job.createdAt);
        },
      });
      const started = feed.started.catch(() => undefined).finally(() => starting.delete(started));
      starting.add(started);
      return feed;
    },
    async creator(account) {
      return await withRedisErrors(async () => await (await openAccounts()).askCreator(account));
    },
    accounts: {
      connect: async (input) => await (await openManaged()).connect(input),
      list: async (filter) => await (await openManaged()).list(filter),
      get: async (account) => await (await openManaged()).get(account),
      pause: async (account) => await (await openManaged()).pause(account),
      resume: async (account) => await (await openManaged()).resume(account),
      remove: async (account, options) => await (await openManaged()).remove(account, options),
    },
    operations: createOperations(open),
    async connectLink(request) {
      return await withRedisErrors(async () => await (await openAccounts()).connectLinks.create(request));
    },
    async preflight(request, options = {}) {
      return await withRedisErrors(async () => await (await open()).preflight(request, options));
    },
    async close() {
      closed = true;
      await tail.close();
      await parts.close();
    },
    [Symbol.asyncDispose]: () => publisher.close(),
  };
  return publisher;
}
