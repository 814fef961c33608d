import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../src/core/units.ts';
import { createMetrics, METRIC_TABLE } from '../../../src/observability/metrics.ts';

const documented = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');

describe('metrics', () => {
  it('are documented row by row, and nothing else is', () => {
    const rows = Object.entries(METRIC_TABLE).map(([name, row]) => {
      const labels = row.labels.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${row.type} | ${labels === '' ? '–' : labels} | ${row.meaning} |`;
    });
    const documentedRows = documented.split('\n').filter((line) => line.startsWith('| `'));
    expect(documentedRows).toEqual(rows);
  });

  it('are all registered, with the type and the labels of the table', async () => {
    const metrics = createMetrics();
    const text = await metrics.render();
    for (const [name, row] of Object.entries(METRIC_TABLE)) expect(text).toContain(`# TYPE ${name} ${row.type}`);
    expect(text.match(/^# TYPE /gm)).toHaveLength(Object.keys(METRIC_TABLE).length);
  });

  it('turn milliseconds into seconds and count outcomes', async () => {
    const metrics = createMetrics();
    metrics.jobEnded({ mode: 'direct', source: 'file', outcome: 'published', durationMs: 90_000 });
    metrics.chunkAccepted({ newBytes: 10_000_000, resentBytes: 25, durationMs: 400 });
    metrics.apiRequest({ endpoint: 'video_init', code: 'ok', durationMs: 80 });
    metrics.pollLag(250);
    const text = await metrics.render();
    expect(text).toContain('tiktok_publish_jobs_total{mode="direct",source="file",outcome="published"} 1');
    expect(text).toContain('tiktok_publish_duration_seconds_sum{mode="direct",outcome="published"} 90');
    expect(text).toContain('tiktok_upload_bytes_total 10000000');
    expect(text).toContain('tiktok_upload_resent_bytes_total 25');
    expect(text).toContain('tiktok_upload_chunk_duration_seconds_sum 0.4');
    expect(text).toContain('tiktok_api_requests_total{endpoint="video_init",code="ok"} 1');
    expect(text).toContain('tiktok_api_request_duration_seconds_sum{endpoint="video_init"} 0.08');
    expect(text).toContain('tiktok_status_poll_lag_seconds_sum 0.25');
  });

  it('open no time series for words that nobody knows', async () => {
    const metrics = createMetrics();
    for (let n = 0; n < 50; n++) {
      metrics.apiRequest({ endpoint: 'status', code: `surprise_${n}`, durationMs: 1 });
      metrics.statusPolled(`MODERATING_${n}`);
      metrics.webhookReceived(`post.publish.surprise_${n}`, 'no_effect');
    }
    metrics.apiRequest({ endpoint: 'status', code: 'http_502', durationMs: 1 });
    metrics.statusPolled('TRANSPORT_NO_ANSWER');
    metrics.webhookReceived('post.publish.publicaly_available', 'acted_on');
    const text = await metrics.render();
    expect(text).toContain('tiktok_api_requests_total{endpoint="status",code="other"} 50');
    expect(text).toContain('tiktok_api_requests_total{endpoint="status",code="http_502"} 1');
    expect(text).toContain('tiktok_status_polls_total{status="other"} 50');
    expect(text).toContain('tiktok_status_polls_total{status="TRANSPORT_NO_ANSWER"} 1');
    expect(text).toContain('tiktok_webhooks_received_total{event="other",outcome="no_effect"} 50');
    expect(text).toContain('tiktok_webhooks_received_total{event="publicly_available",outcome="acted_on"} 1');
    expect(text).not.toContain('urprise_');
  });

  it('begin at zero where an alert watches for the first one', async () => {
    const text = await createMetrics().render();
    for (const line of [
      'tiktok_publish_jobs_total{mode="direct",source="pull",outcome="unconfirmed"} 0',
      'tiktok_token_refreshes_total{outcome="reauthorization_required"} 0',
      'tiktok_api_requests_total{endpoint="direct_init",code="rate_limit_exceeded"} 0',
      'tiktok_api_requests_total{endpoint="photo_init",code="privacy_level_option_mismatch"} 0',
    ]) {
      expect(text).toContain(line);
    }
  });

  it('tell whether the workers of this process still run, and whether they could take a job', async () => {
    const metrics = createMetrics();
    const now = { runs: true, ready: true };
    metrics.watchWorker('tiktok-publish', { isRunning: () => now.runs, isReady: () => now.ready });
    expect(await metrics.render()).toContain('tiktok_worker_ready{queue="tiktok-publish"} 1');
    now.ready = false;
    expect(await metrics.render()).toContain('tiktok_worker_ready{queue="tiktok-publish"} 0');
    expect(await metrics.render()).toContain('tiktok_workers_running{queue="tiktok-publish"} 1');
    now.runs = false;
    expect(await metrics.render()).toContain('tiktok_workers_running{queue="tiktok-publish"} 0');
  });

  it('have a bucket that holds a publish of a whole day', async () => {
    const metrics = createMetrics();
    metrics.jobEnded({ mode: 'direct', source: 'file', outcome: 'published', durationMs: DAY_MS });
    const text = await metrics.render();
    expect(text).toContain('tiktok_publish_duration_seconds_bucket{le="57600",mode="direct",outcome="published"} 0');
    expect(text).toContain('tiktok_publish_duration_seconds_bucket{le="86400",mode="direct",outcome="published"} 1');
  });

  it('follow the uploads in progress up and down', async () => {
    const metrics = createMetrics();
    metrics.uploadStarted();
    metrics.uploadStarted();
    metrics.uploadEnded();
    expect(await metrics.render()).toContain('tiktok_uploads_in_progress 1');
  });

  it('ask the queues at each scrape and leave out one that does not answer', async () => {
    const metrics = createMetrics();
    let waiting = 3;
    metrics.watchQueue('tiktok-publish', async () => ({ waiting, active: 1 }));
    metrics.watchQueue('tiktok-status', () => Promise.reject(new Error('Redis is away')));
    expect(await metrics.render()).toContain('bullmq_jobs{queue="tiktok-publish",state="waiting"} 3');
    waiting = 0;
    const text = await metrics.render();
    expect(text).toContain('bullmq_jobs{queue="tiktok-publish",state="waiting"} 0');
    expect(text).not.toContain('tiktok-status');
  });

  it('answer although Redis says nothing, as it is while a client waits for it to come back', async () => {
    const metrics = createMetrics();
    const silence = new Promise<never>(() => undefined);
    metrics.watchQueue('tiktok-publish', () => silence);
    metrics.watchPausedEndpoints(() => silence);
    metrics.deferred('turn');
    const text = await metrics.render();
    expect(text).toContain('tiktok_deferrals_total{reason="turn"} 1');
    expect(text).not.toContain('bullmq_jobs{');
  });

  it('of two instances do not mix, and process metrics come only when asked for', async () => {
    const [one, other] = [createMetrics({ defaultMetrics: true }), createMetrics()];
    one.deferred('turn');
    expect(await one.render()).toContain('process_cpu_seconds_total');
    expect(await other.render()).not.toContain('process_cpu_seconds_total');
    expect(await one.render()).toContain('tiktok_deferrals_total{reason="turn"} 1');
    expect(await other.render()).toContain('tiktok_deferrals_total{reason="turn"} 0');
  });
});
