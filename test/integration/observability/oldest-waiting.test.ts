import { expect, it } from 'vitest';
import { enqueue, PULL_REQUEST, startApi } from '../../support/api-site.ts';

const FAR = '2100-01-01T00:00:00Z';

it('the metrics tell how long the next job has waited for a worker, and nothing of jobs that are not due', async () => {
  const api = await startApi();
  const waited = async () => {
    const { text } = await api.call('GET', '/metrics');
    return Number(/^tiktok_oldest_waiting_seconds (\S+)$/m.exec(text)?.[1]);
  };
  expect(await waited()).toBe(0);
  await enqueue(api, { ...PULL_REQUEST, scheduledAt: FAR });
  expect(await waited()).toBe(0);
  const enqueuedBefore = Date.now();
  await enqueue(api, { ...PULL_REQUEST, priority: 5 });
  const enqueuedAt = Date.now();
  await enqueue(api);
  const least = (Date.now() - enqueuedAt) / 1_000;
  const seconds = await waited();
  expect(seconds).toBeGreaterThanOrEqual(least);
  expect(seconds).toBeLessThanOrEqual((Date.now() - enqueuedBefore) / 1_000);
});
