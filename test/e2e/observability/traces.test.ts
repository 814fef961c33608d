import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { type ReceivedSpan, startCollector } from '../../support/otlp-collector.ts';
import { startDeployment } from './deployment.ts';

const BATCHES_OFTEN = { OTEL_BSP_SCHEDULE_DELAY: '200' };

const STATIONS = [
  'add tiktok-publish.publish',
  'begin upload',
  'tiktok direct_init',
  'send chunks',
  'tiktok upload',
  'add tiktok-status.status',
  'poll',
  'tiktok status',
];

function named(spans: readonly ReceivedSpan[], name: string): ReceivedSpan[] {
  return spans.filter((span) => span.name === name);
}

describe('a trace', () => {
  it('leads from the enqueue over init and chunks to the outcome, from one process to the next, without a secret', async () => {
    const collector = await startCollector();
    onTestFinished(async () => void (await collector.close()));
    const { publish, simulator } = await startDeployment({
      env: {
        ...BATCHES_OFTEN,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20collector-key',
        OTEL_SERVICE_NAME: 'publisher-under-test',
      },
    });
    const { job } = await publish();
    expect(job.state).toBe('published');

    const trace = await eventually(() => {
      const { spans } = collector;
      const ofTrace = spans.filter(({ traceId }) => traceId === named(spans, 'tiktok status')[0]?.traceId);
      const missing = STATIONS.filter((name) => named(ofTrace, name).length === 0);
      if (missing.length > 0) throw new Error(`no ${missing} among ${spans.map(({ name }) => name)}`);
      return ofTrace;
    });
    const [status] = named(trace, 'tiktok status');
    const [init] = named(trace, 'tiktok direct_init');
    const chunks = named(trace, 'tiktok upload');
    expect(named(trace, 'add tiktok-publish.publish')).toHaveLength(1);
    expect(named(trace, 'begin upload')[0]?.facts).toMatchObject({
      'publish.job.id': job.id,
      'publish.mode': 'direct',
    });
    expect(init?.facts).toMatchObject({ 'tiktok.code': 'ok', 'tiktok.attempt': 1, 'http.response.status_code': 200 });
    expect(init?.facts['tiktok.log_id']).toMatch(/\w{10,}/);
    expect(init?.parentSpanId).toBe(named(trace, 'begin upload')[0]?.spanId);
    expect(chunks.map(({ facts }) => facts['http.response.status_code'])).toEqual([201]);
    expect(chunks.map(({ facts }) => facts['http.request.body.size'])).toEqual([12_000_000]);
    expect(status?.facts).toMatchObject({ 'tiktok.code': 'ok', 'tiktok.attempt': 1 });
    expect(new Set(trace.map(({ service }) => service))).toEqual(new Set(['publisher-under-test']));
    expect(collector.headers.every((header) => header === 'Bearer collector-key')).toBe(true);

    const everything = collector.bodies.join('\n');
    const secrets = [...simulator.secrets(), 'acme', simulator.clientSecret, '/video/?'];
    expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
  });

  it('goes nowhere when its collector is away, and neither jobs nor the end of the process care', async () => {
    const collector = await startCollector();
    await collector.close();
    const { publish, service } = await startDeployment({
      env: { ...BATCHES_OFTEN, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces` },
    });
    expect((await publish()).job.state).toBe('published');
    service.kill('SIGTERM');
    expect(await service.ended).toMatchObject({ exitCode: 0 });
  });

  it('is not begun where OTEL_SDK_DISABLED says so', async () => {
    const collector = await startCollector();
    onTestFinished(async () => void (await collector.close()));
    const { publish, service } = await startDeployment({
      env: { ...BATCHES_OFTEN, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SDK_DISABLED: 'TRUE' },
    });
    expect((await publish()).job.state).toBe('published');
    service.kill('SIGTERM');
    await service.ended;
    expect(collector.bodies).toEqual([]);
  });
});
