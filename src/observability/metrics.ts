import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { OperationOutcome } from '../core/operation.ts';
import { DURATION_EDGES_MS } from '../core/publish-statistics.ts';
import { SECOND_MS } from '../core/units.ts';
import { requestCodeLabel, statusLabel, VALUES_FROM_THE_START, webhookLabel } from './label-values.ts';
import { registerQueueGauge, registerStoredGauge, registerWorkerGauge } from './sampled-gauges.ts';

/** What one metric is: the code registers it and docs/metrics.md lists it from here. @internal */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly meaning: string;
}

/**
 * Every metric of ours. Base units, as Prometheus wants them, and no account, job or publish id in a label:
 * each would open a new time series per video.
 * @internal
 */
export const METRIC_TABLE = {
  tiktok_publish_jobs_total: row('counter', 'publish jobs that ended', 'mode', 'source', 'outcome'),
  tiktok_publish_duration_seconds: row(
    'histogram',
    'time from enqueue (or the scheduled time) to the outcome',
    'mode',
    'outcome',
  ),
  tiktok_publish_lateness_seconds: row(
    'histogram',
    'time from the scheduled time to the first init, and to the published post (or the delivered draft); without retries by a person',
    'until',
  ),
  tiktok_publish_duplicates_total: row(
    'counter',
    'jobs with the same video as another job of the account, by action (warn, refuse)',
    'action',
  ),
  tiktok_upload_bytes_total: row('counter', 'video bytes that TikTok accepted'),
  tiktok_upload_resent_bytes_total: row('counter', 'video bytes that were sent again'),
  tiktok_upload_chunk_duration_seconds: row('histogram', 'time to upload one accepted chunk'),
  tiktok_upload_chunk_retries_total: row('counter', 'chunks that were sent again, by error code', 'reason'),
  tiktok_upload_resumes_total: row(
    'counter',
    'uploads that resumed at the offset reported by TikTok, by reason of the interruption',
    'reason',
  ),
  tiktok_uploads_in_progress: row('gauge', 'uploads running in this process'),
  tiktok_api_requests_total: row(
    'counter',
    'requests to TikTok, by result code (ok, a TikTok code, or our error code if there was no response)',
    'endpoint',
    'code',
  ),
  tiktok_api_request_duration_seconds: row(
    'histogram',
    'time from sending a request to TikTok to the end of the response',
    'endpoint',
  ),
  tiktok_status_polls_total: row('counter', 'status polls, by the status from TikTok', 'status'),
  tiktok_status_poll_lag_seconds: row(
    'histogram',
    'delay of a status poll after its planned time, where the same process planned it',
  ),
  tiktok_deferrals_total: row('counter', 'waits that did not use an attempt, by waiting reason', 'reason'),
  tiktok_token_refreshes_total: row('counter', 'refreshes of access tokens', 'outcome'),
  tiktok_events_delivered_total: row('counter', 'delivery attempts of events to callback URLs', 'outcome'),
  tiktok_operations_running: row('gauge', 'operations on many jobs that have not ended'),
  tiktok_operation_jobs_total: row(
    'counter',
    'jobs that operations dealt with, by kind and by what became of them (changed, unchanged, refused)',
    'kind',
    'outcome',
  ),
  tiktok_publishing_paused: row('gauge', '1 while all publishing is paused, else 0'),
  tiktok_oldest_waiting_seconds: row(
    'gauge',
    'how long the job that a worker should take next has been ready for one; 0 where none waits',
  ),
  tiktok_callback_endpoints_paused: row('gauge', 'callback endpoints that are paused after repeated failures'),
  tiktok_webhooks_received_total: row('counter', 'TikTok webhooks, by event and result', 'event', 'outcome'),
  tiktok_workers_running: row(
    'gauge',
    '1 while the worker of a queue is running in this process, 0 after it stopped',
    'queue',
  ),
  tiktok_worker_ready: row(
    'gauge',
    '1 while this process can take jobs from a queue, 0 while Redis prevents it; /readyz says why',
    'queue',
  ),
  tiktok_redis_calls_total: row('counter', 'Redis round trips of the sampled runs of a step', 'step'),
  tiktok_redis_wait_seconds: row(
    'histogram',
    'time that one run of a step waited for Redis, for a sample of the runs',
    'step',
  ),
  bullmq_jobs: row('gauge', 'jobs in a BullMQ queue at the time of the scrape', 'queue', 'state'),
} satisfies Record<string, MetricRow>;

type MetricName = keyof typeof METRIC_TABLE;

function row(type: MetricRow['type'], meaning: string, ...labels: string[]): MetricRow {
  return { type, meaning, labels };
}

/** Upper edges in seconds: chunks and API calls. */
const REQUEST_BUCKETS_SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const CHUNK_BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const LAG_BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300];
const REDIS_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
/** What Redis is asked for: one run of an entry of a queue, one sweep, one accepted request. */
export type Step = (typeof VALUES_FROM_THE_START.steps)[number];

/** Runs a step, and measures what it asks of Redis if it is in the sample. */
export type MeasureStep = <T>(step: Step, run: () => Promise<T>) => Promise<T>;

/** What the program measures. Each method takes our units (ms, bytes) and turns them into Prometheus' base units. */
export type Metrics = ReturnType<typeof createMetrics>;

export interface MetricsOptions {
  /** Also collect the process and event-loop metrics of prom-client (default false). */
  readonly defaultMetrics?: boolean;
}

/** Builds the metrics on a registry of their own, so that several may live in one process. */
export function createMetrics(options: MetricsOptions = {}) {
  const registry = new Registry();
  if (options.defaultMetrics === true) collectDefaultMetrics({ register: registry });
  const definition = (name: MetricName) => {
    const { meaning, labels } = METRIC_TABLE[name];
    return { name, help: meaning, labelNames: labels, registers: [registry] };
  };
  const counter = (name: MetricName) => new Counter(definition(name));
  const countBy = <T extends string = string>(
    name: MetricName,
    label: string,
    fromTheStart: readonly string[] = [],
  ) => {
    const values = counter(name);
    for (const value of fromTheStart) values.inc({ [label]: value }, 0);
    return (value: T) => values.inc({ [label]: value });
  };
  const histogram = (name: MetricName, buckets: number[]) => new Histogram({ ...definition(name), buckets });

  const jobs = counter('tiktok_publish_jobs_total');
  const publishBuckets = DURATION_EDGES_MS.map(toSeconds);
  const publishDuration = histogram('tiktok_publish_duration_seconds', publishBuckets);
  const publishLateness = histogram('tiktok_publish_lateness_seconds', publishBuckets);
  const acceptedBytes = counter('tiktok_upload_bytes_total');
  const resentBytes = counter('tiktok_upload_resent_bytes_total');
  const chunkDuration = histogram('tiktok_upload_chunk_duration_seconds', CHUNK_BUCKETS_SECONDS);
  const uploads = new Gauge(definition('tiktok_uploads_in_progress'));
  const apiRequests = counter('tiktok_api_requests_total');
  const apiDuration = histogram('tiktok_api_request_duration_seconds', REQUEST_BUCKETS_SECONDS);
  const polls = counter('tiktok_status_polls_total');
  const pollLag = histogram('tiktok_status_poll_lag_seconds', LAG_BUCKETS_SECONDS);
  const redisCalls = counter('tiktok_redis_calls_total');
  const redisWait = histogram('tiktok_redis_wait_seconds', REDIS_BUCKETS_SECONDS);
  const operationJobs = counter('tiktok_operation_jobs_total');
  const webhooks = counter('tiktok_webhooks_received_total');
  const watchRunning = registerWorkerGauge(definition('tiktok_workers_running'));
  const watchReady = registerWorkerGauge(definition('tiktok_worker_ready'));
  const watchOldest = registerStoredGauge(definition('tiktok_oldest_waiting_seconds'));
  for (const labels of VALUES_FROM_THE_START.jobs) jobs.inc(labels, 0);
  for (const step of VALUES_FROM_THE_START.steps) {
    redisCalls.inc({ step }, 0);
    redisWait.zero({ step });
  }
  for (const until of VALUES_FROM_THE_START.lateUntil) publishLateness.zero({ until });
  for (const labels of VALUES_FROM_THE_START.operationJobs) operationJobs.inc(labels, 0);
  for (const labels of VALUES_FROM_THE_START.refusedRequests) apiRequests.inc(labels, 0);

  return {
    jobEnded({ durationMs, ...job }: { mode: string; source: string; outcome: string; durationMs: number }) {
      jobs.inc(job);
      publishDuration.observe({ mode: job.mode, outcome: job.outcome }, toSeconds(durationMs));
    },
    scheduledPostReached(until: (typeof VALUES_FROM_THE_START.lateUntil)[number], latenessMs: number) {
      publishLateness.observe({ until }, toSeconds(Math.max(0, latenessMs)));
    },
    duplicateFound: countBy<'warn' | 'refuse'>('tiktok_publish_duplicates_total', 'action', ['warn', 'refuse']),
    uploadStarted: () => uploads.inc(),
    uploadEnded: () => uploads.dec(),
    /** @param chunk `resentBytes` are those that had been sent before and were not kept by TikTok */
    chunkAccepted(chunk: { newBytes: number; resentBytes: number; durationMs: number }) {
      acceptedBytes.inc(chunk.newBytes);
      resentBytes.inc(chunk.resentBytes);
      chunkDuration.observe(toSeconds(chunk.durationMs));
    },
    chunkRetried: countBy('tiktok_upload_chunk_retries_total', 'reason'),
    uploadResumed: countBy('tiktok_upload_resumes_total', 'reason'),
    apiRequest({ endpoint, code, durationMs }: { endpoint: string; code: string; durationMs: number }) {
      apiRequests.inc({ endpoint, code: requestCodeLabel(code) });
      apiDuration.observe({ endpoint }, toSeconds(durationMs));
    },
    statusPolled: (status: string) => polls.inc({ status: statusLabel(status) }),
    pollLag: (lagMs: number) => pollLag.observe(toSeconds(lagMs)),
    deferred: countBy('tiktok_deferrals_total', 'reason', VALUES_FROM_THE_START.deferrals),
    tokenRefreshed: countBy('tiktok_token_refreshes_total', 'outcome', VALUES_FROM_THE_START.refreshes),
    eventDelivered: countBy('tiktok_events_delivered_total', 'outcome', VALUES_FROM_THE_START.deliveries),
    operationDealtWith: (kind: string, outcome: OperationOutcome) => operationJobs.inc({ kind, outcome }),
    webhookReceived: (event: string, outcome: string) => webhooks.inc({ event: webhookLabel(event), outcome }),
    redisUsed(step: Step, { calls, waitMs }: { readonly calls: number; readonly waitMs: number }) {
      redisCalls.inc({ step }, calls);
      redisWait.observe({ step }, toSeconds(waitMs));
    },
    /** Asks at every scrape. */
    watchWorker(queue: string, worker: { readonly isRunning: () => boolean; readonly isReady: () => boolean }) {
      watchRunning(queue, worker.isRunning);
      watchReady(queue, worker.isReady);
    },
    /** Asks for the counts at every scrape; a queue that can't be counted is left out of that scrape. */
    watchQueue: registerQueueGauge(definition('bullmq_jobs')),
    /** Asks for the count at every scrape; where it can't be counted the last number stays. */
    watchPause: registerStoredGauge(definition('tiktok_publishing_paused')),
    watchOperations: registerStoredGauge(definition('tiktok_operations_running')),
    watchPausedEndpoints: registerStoredGauge(definition('tiktok_callback_endpoints_paused')),
    /** The same for how long the next job has waited (ms). */
    watchOldestWaiting: (waitedMs: () => Promise<number>) => watchOldest(async () => toSeconds(await waitedMs())),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function toSeconds(durationMs: number): number {
  return durationMs / SECOND_MS;
}
