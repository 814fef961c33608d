import type { Telemetry } from 'bullmq';
import type { RedisConfig } from '../config/redis-config.ts';
import type { Clock } from '../core/ports.ts';
import type { S3Settings } from '../media/s3-source.ts';
import { createPublisher } from '../producers/create-publisher.ts';
import type { Publisher } from '../producers/publisher.ts';
import { createKeys } from '../redis/keys.ts';
import type { connectPublisher } from './publisher-parts.ts';

/** The settings a publisher needs; `Config` has them all. */
export interface PublisherConfig {
  readonly redis: RedisConfig;
  /** Replicas of Redis that must have a job before it counts as accepted; by default what suits the kind of Redis. */
  readonly redisWaitReplicas?: number | undefined;
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly queuePrefix: string;
  readonly retentionMs: number;
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
  readonly tiktok?: {
    readonly apiBaseUrl: string;
    readonly clientKey: string | undefined;
    readonly clientSecret: string | undefined;
  };
}

/**
 * A publisher that is alone in its process, over the given settings. Connects at the first call; a call while Redis is
 * down fails at once, and the next one tries again.
 */
export function createPublisherFromConfig(config: PublisherConfig, clock: Clock = { now: Date.now }): Publisher {
  let opening: ReturnType<typeof connectPublisher> | undefined;
  return createPublisher({
    eventsKey: createKeys(config.queuePrefix).events,
    async checkCallbacks(entries) {
      if (entries.every(({ request }) => request.callbackUrl === undefined)) return;
      const { refuseCallbacks } = await import('../producers/refuse-callbacks.ts');
      refuseCallbacks(entries, config.outboundAllowHosts ?? []);
    },
    open() {
      // BullMQ and the Redis client take most of the time of loading: who imports us pays for them when they are used.
      opening ??= import('./publisher-parts.ts')
        .then((parts) => parts.connectPublisher(config, clock))
        .catch((error: unknown) => {
          opening = undefined;
          throw error;
        });
      return opening;
    },
    async close() {
      await (await opening?.catch(() => undefined))?.close();
    },
  });
}
