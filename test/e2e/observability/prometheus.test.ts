import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../support/eventually.ts';
import { alerts, panelQueries } from '../../support/monitoring-files.ts';
import { programOnPath } from '../../support/program-on-path.ts';
import { startPrometheus } from '../../support/prometheus-server.ts';
import { startCommand } from '../cli/command.ts';
import { startDeployment } from './deployment.ts';

const hostOf = (url: string) => new URL(url).host;
/** Panels that stay empty while nothing goes wrong. */
const EMPTY_WHEN_WELL = ['Errors by code', 'Resumes and repeated chunks', 'Why jobs wait', 'TikTok webhooks'];

it.skipIf(programOnPath('prometheus') === undefined)(
  'Prometheus reads two processes and answers what the dashboard and the alerts ask (skipped where it is not on the PATH)',
  { timeout: 180_000 },
  async () => {
    const { url, env, publish, simulator } = await startDeployment();
    const worker = startCommand(['worker', '--json'], { ...env, METRICS_PORT: '0' });
    const { metricsUrl } = z.object({ metricsUrl: z.string() }).parse(await worker.document());
    for (const path of ['/healthz', '/readyz']) expect((await fetch(`${metricsUrl}${path}`)).status).toBe(200);
    expect((await fetch(`${metricsUrl}/board`)).status).toBe(404);

    const prometheus = await startPrometheus([hostOf(url), hostOf(metricsUrl)]);
    onTestFinished(() => prometheus.close());
    await eventually(async () => (await prometheus.targets()).every(({ health }) => health === 'up'));
    // Counters must have been seen at zero before they grow.
    const zero = 'sum(tiktok_publish_jobs_total)';
    await eventually(async () => (await prometheus.query(zero))[0]?.value === 0);

    const soon = new Date(Date.now() + 2_000).toISOString();
    const published = [await publish(), await publish(), await publish('--at', soon)];
    simulator.faults.add({ endpoint: 'upload', act: { kind: 'fail_processing', failReason: 'duration_check_failed' } });
    const failed = await publish();
    expect(published.map(({ job }) => job.state)).toEqual(['published', 'published', 'published']);
    expect(failed.job.state).toBe('failed');

    const value = async (expr: string) => (await prometheus.query(expr))[0]?.value;
    await eventually(async () => (await value('sum(tiktok_publish_jobs_total{outcome="failed"})')) === 1);
    expect(await value('sum(tiktok_publish_jobs_total{outcome="published"})')).toBe(3);
    expect(await value('sum(tiktok_upload_bytes_total)')).toBe(4 * 12_000_000);
    expect(await value('sum(tiktok_publish_duration_seconds_count)')).toBe(4);
    const inits = simulator.journal.requests({ endpoint: 'video_init' }).length;
    expect(await value('sum(tiktok_api_requests_total{endpoint="direct_init"})')).toBe(inits);
    const polls = simulator.journal.requests({ endpoint: 'status' }).length;
    expect(await value('sum(tiktok_status_polls_total)')).toBe(polls);
    expect(await value('sum(tiktok_workers_running{queue="tiktok-publish"})')).toBe(2);
    expect(await prometheus.query('bullmq_jobs{queue="tiktok-publish",state="completed"}')).toMatchObject([
      { value: 4 },
      { value: 4 },
    ]);

    const unanswered: string[] = [];
    for (const { panel, expr } of panelQueries('1m')) {
      const samples = await prometheus.query(expr);
      const isFilled = samples.length > 0 && samples.every(({ value: number }) => !Number.isNaN(number));
      if (!isFilled && !EMPTY_WHEN_WELL.includes(panel))
        unanswered.push(`${panel}: ${expr} ${JSON.stringify(samples)}`);
    }
    expect(unanswered).toEqual([]);

    const ratio = panelQueries('1m').find(({ panel }) => panel === 'Success ratio, 24 h')?.expr ?? '';
    expect(await value(ratio)).toBeCloseTo(0.75, 2);

    const rules = await eventually(async () => {
      const evaluated = await prometheus.rules();
      if (evaluated.some(({ health }) => health === 'unknown')) throw new Error('not yet evaluated');
      return evaluated;
    });
    expect(rules.map(({ name }) => name)).toEqual(alerts.map(({ alert }) => alert));
    expect(rules.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => [name, lastError])).toEqual([]);
    expect(rules.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual([]);
  },
);
