import { expect, it } from 'vitest';
import { startDeployment } from '../e2e/observability/deployment.ts';
import { enqueue, startApi } from '../support/api-site.ts';
import { startCollector } from '../support/otlp-collector.ts';
import { startRedisServer } from '../support/redis-server.ts';

/** How long something takes (ms). */
async function timeOf(something: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await something();
  return performance.now() - startedAt;
}

it('the board and the page of a job say at once that Redis is away', async () => {
  const redis = await startRedisServer(['save ""']);
  const api = await startApi({ REDIS_URL: `redis://127.0.0.1:${redis.port}` });
  const id = await enqueue(api);
  await redis.close();
  for (const path of ['/board/api/queues', `/board/api/queues/tiktok-publish/${id}`, `/publishes/${id}`])
    expect(await timeOf(() => api.call('GET', path)), path).toBeLessThan(3_000);
});

it('a process ends in time although the collector of its traces is away', async () => {
  const collector = await startCollector();
  await collector.close();
  const { publish, service } = await startDeployment({
    env: { OTEL_BSP_SCHEDULE_DELAY: '200', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces` },
  });
  await publish();
  service.kill('SIGTERM');
  expect(await timeOf(() => service.ended)).toBeLessThan(8_000);
});
