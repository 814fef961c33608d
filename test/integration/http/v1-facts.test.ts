import { expect, it } from 'vitest';
import { startApi } from '../../support/api-site.ts';

it('GET /v1/facts lists what was learned from TikTok', async () => {
  const api = await startApi();
  expect(await api.call('GET', '/v1/facts')).toMatchObject({ status: 200, body: { facts: [] } });
  const source = { jobId: 'job-1', account: 'acme' };
  await api.facts.change({ name: 'audited', value: false }, source);
  await api.facts.change({ name: 'dailyPostCap', value: 12 }, source);
  const { body } = await api.call('GET', '/v1/facts');
  expect(body).toEqual({
    facts: expect.arrayContaining([
      {
        ...{ name: 'audited', value: false, account: null, jobId: 'job-1' },
        ...{ learnedAt: expect.any(String), validUntil: expect.any(String) },
        text: expect.stringContaining('has not audited the app'),
      },
      expect.objectContaining({ name: 'dailyPostCap', value: 12, account: 'acme' }),
    ]),
  });
});
