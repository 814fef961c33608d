import type { Telemetry } from 'bullmq';
import type { RedisConfig } from '../config/redis-config.ts';
import type { S3Settings } from '../media/s3-source.ts';
import type { ProxySettings } from '../outbound/proxy-settings.ts';

/** The settings a publisher needs; `Config` has them all. */
export interface PublisherConfig {
  readonly redis: RedisConfig;
  /** Replicas of Redis that must have a job before it counts as accepted; by default what suits the kind of Redis. */
  readonly redisWaitReplicas?: number | undefined;
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly queuePrefix: string;
  /** Hosts that callbacks may reach although they are not public; by default none. */
  readonly outboundAllowHosts?: readonly string[];
  /** Carries the traces of jobs over the queues: BullMQ's bridge to OpenTelemetry, such as `bullmq-otel`. */
  readonly telemetry?: Telemetry | undefined;
  /** The keys that the service seals with: for accounts, and for secrets in URLs before any service has run. */
  readonly encryptionKeys?: readonly Buffer[] | undefined;
  /** For `preflight` alone: folders that files must live under. */
  readonly mediaRoots?: readonly string[] | undefined;
  /** For `preflight` alone: where `s3` sources are. */
  readonly s3?: S3Settings | undefined;
  /** For `preflight` alone: what the workers do about a video that its account has, and how long one counts (ms). */
  readonly onDuplicate?: 'allow' | 'warn' | 'refuse' | undefined;
  readonly duplicateWindowMs?: number | undefined;
  /** For `connectLink` alone: how browsers reach the web server, and the origins to which it may send them back. */
  readonly http?: { readonly publicBaseUrl: string | undefined; readonly returnOrigins: readonly string[] };
  /** For `preflight` alone: where TikTok downloads media from the service. Undefined: not known here. */
  readonly pull?: { readonly baseUrl: string | undefined };
  /** For `creator`, `preflight` and `accounts`: proxies to go through. */
  readonly proxy?: ProxySettings | undefined;
  /** For `creator`, `preflight` and `accounts`: where TikTok is. */
  readonly tiktok?: {
    readonly apiBaseUrl: string;
    readonly clientKey: string | undefined;
    readonly clientSecret: string | undefined;
  };
}
