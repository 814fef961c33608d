import { expect, it, onTestFinished } from 'vitest';
import { openTraces } from '../../../src/observability/otel-traces.ts';
import { startCollector } from '../../support/otlp-collector.ts';

it('sends no text of any length, such as the name that a client gave to an entry', async () => {
  const collector = await startCollector();
  onTestFinished(async () => void (await collector.close()));
  const { telemetry, close } = openTraces({ url: `${collector.url}/v1/traces`, serviceName: 'test', headers: {} });
  const span = telemetry.tracer.startSpan('process tiktok-publish');
  span.setAttributes({ 'bullmq.job.name': 'n'.repeat(1_000_000) });
  span.end();
  await close();
  expect(collector.spans.map(({ facts }) => facts)).toEqual([{ 'bullmq.job.name': 'n'.repeat(1_000) }]);
});
