import { expect, it } from 'vitest';
import { startApi } from '../../support/api-site.ts';

it('answers how publishing went over the last hour, day or week', async () => {
  const api = await startApi();
  api.statistics.note({ state: 'published', tookMs: 3_000, lateMs: undefined });
  api.statistics.note({ state: 'failed', tookMs: 1_000, lateMs: undefined });
  await api.statistics.flush();
  const ended = { published: 1, in_inbox: 0, failed: 1, unconfirmed: 0 };
  for (const [query, range, bucketMs] of [
    ['', 'hour', 60_000],
    ['?range=day', 'day', 900_000],
    ['?range=week', 'week', 7_200_000],
  ]) {
    const { status, body } = await api.call('GET', `/v1/statistics${query}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ range, bucketMs, total: { ended, lateness: null } });
    const total = { p50Ms: expect.any(Number), p95Ms: expect.any(Number) };
    expect(body).toHaveProperty('total.timeToPublish', total);
  }
  expect(await api.call('GET', '/v1/statistics?range=year')).toMatchObject({ status: 400 });
});
