import type { Telemetry } from 'bullmq';
import type { Tracing } from '../core/tracing.ts';

/** Where traces go, if anywhere. */
export interface TracingConfig {
  /** Takes OTLP over HTTP, as JSON. */
  readonly url: string;
  readonly serviceName: string;
  /** Sent along, such as a collector's API key. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Traces of a process on their way to a collector. */
export interface Traces {
  readonly tracing: Tracing;
  /** Carries the trace of a job over BullMQ's queues. */
  readonly telemetry: Telemetry;
  /** Sends what is left, for two seconds at most. */
  close(): Promise<void>;
}
