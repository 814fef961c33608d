import { expect, it } from 'vitest';
import { enqueue, startApi } from '../support/api-site.ts';
import { fuzz } from '../support/fuzz-run.ts';
import { hostileWebhooks } from '../support/hostile-requests.ts';
import { sendRaw } from '../support/raw-http.ts';

it('takes whatever TikTok signed, refuses all else, and lives on', { timeout: 3_600_000 }, async () => {
  const api = await startApi();
  const id = await enqueue(api);
  const statuses = new Set<number>();
  await fuzz({
    what: 'webhooks',
    count: { short: 2_000, long: 50_000 },
    inputs: hostileWebhooks({ id, apiKey: '', webhookSecret: api.simulator.clientSecret }),
    parallel: 8,
    async attempt(webhook) {
      const { status, body } = await sendRaw(api.url, webhook);
      statuses.add(status);
      const sent = `${webhook.head}\n\n${webhook.body.toString().slice(0, 1_000)}`;
      expect([200, 400, 401, 413], `${sent}\n\n-> ${body}`).toContain(status);
      if (status === 200) return;
      expect(JSON.parse(body), sent).toMatchObject({ status, code: expect.stringMatching(/^[A-Z_]+$/) });
    },
  });
  expect([...statuses]).toEqual(expect.arrayContaining([200, 401, 413]));
  expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
  expect((await api.call('GET', `/v1/publishes/${id}`)).body).toMatchObject({ state: 'queued' });
});
