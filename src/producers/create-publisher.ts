import type { Telemetry } from 'bullmq';
import type { RedisConfig } from '../config/redis-config.ts';
import type { Clock } from '../core/ports.ts';
import { DEFAULT_LISTED_JOBS, MAX_LISTED_JOBS } from '../core/post-limits.ts';
import { PublishError } from '../core/publish-error.ts';
import type { PublishJob } from '../core/publish-job.ts';
import type { Creators, OpenCreatorsDeps } from '../creators/open-creators.ts';
import type { S3Settings } from '../media/s3-source.ts';
import { createKeys } from '../redis/keys.ts';
import { tellingOfRedis } from '../redis/telling-of-redis.ts';
import { cancelJob, retryJob } from './change-job.ts';
import { publisherClosed } from './closed.ts';
import { checkCallbacks, enqueueEntries, parseEntries } from './enqueue.ts';
import { createEventTail } from './event-tail.ts';
import { followEvents } from './follow-events.ts';
import type { OpenPublisher } from './open-publisher.ts';
import type { Publisher } from './publisher.ts';
import { waitForCompletion } from './wait-for-completion.ts';

/** The settings a publisher needs; `Config` has them all. */
export interface PublisherConfig {
  readonly redis: RedisConfig;
  /** Replicas of Redis that must have a job before it counts as accepted; by default what suits the kind of Redis. */
  readonly redisWaitReplicas?: number | undefined;
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly queuePrefix: string;
  readonly retentionMs: number;
  /** Uploads of one account at a time; by default one. */
  readonly uploadsPerAccount?: number;
  /** Hosts that callbacks may reach although they are not public; by default none. */
  readonly outboundAllowHosts?: readonly string[];
  /** Carries the traces of jobs over the queues: BullMQ's bridge to OpenTelemetry, such as `bullmq-otel`. */
  readonly telemetry?: Telemetry | undefined;
  /** The keys that the service seals with: for `creator` and `preflight`, and for secrets in URLs before any service has run. */
  readonly encryptionKeys?: readonly Buffer[] | undefined;
  /** For `preflight` alone: folders that files must live under. */
  readonly mediaRoots?: readonly string[] | undefined;
  /** For `preflight` alone: where `s3` sources are. */
  readonly s3?: S3Settings | undefined;
  /** For `creator` and `preflight`: where TikTok is. */
  readonly tiktok?: OpenCreatorsDeps['tiktok'];
}

/**
 * The producers' side over the given settings. Connects at the first call; a call while Redis is down fails at once,
 * and the next one tries again.
 */
export function createPublisherFromConfig(config: PublisherConfig, clock: Clock = { now: Date.now }): Publisher {
  const keys = createKeys(config.queuePrefix);
  let opening: Promise<OpenPublisher> | undefined;
  let closed = false;

  function open(): Promise<OpenPublisher> {
    if (closed) throw publisherClosed();
    // BullMQ and the Redis client take most of the time of loading: who imports us pays for them when they are used.
    opening ??= import('./open-publisher.ts')
      .then(({ openPublisher }) => openPublisher(config, keys, clock))
      .catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
    return opening;
  }

  let asking: Promise<Creators> | undefined;
  function openCreators(): Promise<Creators> {
    asking ??= Promise.all([open(), import('./creator-query.ts')])
      .then(([{ redis, confirmation }, { openCreatorQuery }]) =>
        openCreatorQuery(config, { redis, keys, confirmation, clock }),
      )
      .catch((error: unknown) => {
        asking = undefined;
        throw error;
      });
    return asking;
  }

  const tail = createEventTail({
    eventsKey: keys.events,
    connect: async () => await (await open()).connectBlocking(),
  });
  const read: Publisher['get'] = async (id) => await tellingOfRedis(async () => await (await open()).reader.read(id));

  async function present(id: string): Promise<PublishJob> {
    const job = await read(id);
    if (job === undefined) throw new PublishError('JOB_NOT_FOUND', { reason: `no publish job has the id ${id}` });
    return job;
  }

  return {
    async enqueue(request, options = {}) {
      const entries = parseEntries([{ request, ...options }]);
      await checkCallbacks(entries, config.outboundAllowHosts);
      const [job] = await tellingOfRedis(async () => await enqueueEntries(entries, await open()));
      if (job === undefined) throw new PublishError('INTERNAL_ERROR', { reason: 'enqueue created no job' });
      return job;
    },
    async enqueueBulk(requests) {
      const entries = parseEntries(requests);
      await checkCallbacks(entries, config.outboundAllowHosts);
      return await tellingOfRedis(async () => await enqueueEntries(entries, await open()));
    },
    get: read,
    async list({ limit = DEFAULT_LISTED_JOBS, ...filter } = {}) {
      if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LISTED_JOBS) {
        const message = `expected a whole number from 1 to ${MAX_LISTED_JOBS}`;
        throw new PublishError('INPUT_INVALID', { problems: [{ path: 'limit', message }] });
      }
      return await tellingOfRedis(async () => await (await open()).reader.list({ ...filter, limit }));
    },
    async cancel(id) {
      await tellingOfRedis(async () => await cancelJob(id, await open()));
      return await present(id);
    },
    async retry(id, { force = false } = {}) {
      const action = await tellingOfRedis(async () => await retryJob(id, { force }, await open()));
      return { ...(await present(id)), action };
    },
    async waitForCompletion(id, options = {}) {
      return await waitForCompletion(id, options, { tail, read });
    },
    events(options = {}) {
      return followEvents(options, {
        ...{ tail, eventsKey: keys.events },
        connect: async () => (await open()).redis,
        createdAt: async (id) => {
          const job = await read(id);
          return job === undefined ? undefined : Date.parse(job.createdAt);
        },
      });
    },
    async creator(account) {
      return await tellingOfRedis(async () => await (await openCreators()).ask(account));
    },
    async preflight(request) {
      return await tellingOfRedis(async () => {
        const [{ redis }, { runPreflight }] = await Promise.all([open(), import('./preflight-query.ts')]);
        const askCreator: Creators['ask'] = async (account) => await (await openCreators()).ask(account);
        return await runPreflight(request, config, { redis, keys, clock, askCreator });
      });
    },
    async close() {
      closed = true;
      await tail.close();
      await (await asking?.catch(() => undefined))?.close();
      const publisher = await opening?.catch(() => undefined);
      await publisher?.close();
    },
  };
}
