import type { Telemetry } from 'bullmq';
import type { Config } from '../config/load-config.ts';
import type { RedisAccessConfig } from './redis-access.ts';

/** Settings that only some calls need: those about accounts, `preflight`, and enqueuing with callbacks or secrets. */
type NeededBySomeCalls =
  | 'outboundAllowHosts'
  | 'encryptionKeys'
  | 'sealingKeyPins'
  | 'mediaRoots'
  | 's3'
  | 'onDuplicate'
  | 'duplicateWindowMs'
  | 'proxy'
  | 'tiktok';

/** The settings a publisher needs; `Config` has them all. */
export interface PublisherConfig extends RedisAccessConfig, Partial<Pick<Config, NeededBySomeCalls>> {
  /** Carries the traces of jobs over the queues: BullMQ's bridge to OpenTelemetry, such as `bullmq-otel`. */
  readonly telemetry?: Telemetry | undefined;
  /** For `connectLink` alone. */
  readonly http?: Pick<Config['http'], 'publicBaseUrl' | 'returnOrigins'>;
  /** For `preflight` alone: where TikTok downloads media from the service. Undefined: not known here. */
  readonly pull?: Pick<Config['pull'], 'baseUrl'>;
}
