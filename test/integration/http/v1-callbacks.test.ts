import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { QUEUE_KEY_NAMES } from '../../../src/ledger/queues/job-ids.ts';
import { PULL_REQUEST, startApi } from '../../support/api-site.ts';

const job = z.looseObject({ id: z.string() });

describe('/v1/callbacks', () => {
  it('shows how deliveries go', async () => {
    const api = await startApi();
    const answer = await api.call('GET', '/v1/callbacks');
    expect(answer.status).toBe(200);
    const counts = { waiting: 0, active: 0, delayed: 0, failed: 0 };
    expect(answer.body).toEqual({ counts, paused: [], disabled: [], failed: [] });
  });

  it.each([null, 7, {}, { id: 7 }, { id: 'x', event: null }])(
    'shows a failed entry of a stranger: %j',
    async (data) => {
      const api = await startApi();
      const { events } = api.queues;
      const { id } = await events.add('any', data as never);
      await api.redis.lrem(events.toKey('wait'), 0, id ?? '');
      await api.redis.zadd(events.toKey('failed'), 1, id ?? '');
      const answer = await api.call('GET', '/v1/callbacks');
      expect(answer).toMatchObject({ status: 200, body: { failed: [{ eventId: id, endpoint: null }] } });
      expect((await api.call('POST', '/v1/callbacks/replay-failed?host=app.example.com')).status).toBe(200);
    },
  );

  it('shows what of a job is still on its way', async () => {
    const api = await startApi();
    const request = { ...PULL_REQUEST, callbackUrl: 'https://app.example.com/hook?token=s3cret' };
    const { id } = job.parse((await api.call('POST', '/v1/publishes', request)).body);
    const answer = await api.call('GET', `/v1/publishes/${id}/callbacks`);
    expect(answer.body).toEqual({ jobId: id, undelivered: [`${id}-1-1`], attempts: [] });
    const unknown = await api.call('GET', '/v1/publishes/nothing/callbacks');
    expect(unknown).toMatchObject({ status: 404, body: { code: 'JOB_NOT_FOUND' } });
  });

  it('says what it cannot replay or resume', async () => {
    const api = await startApi();
    for (const action of ['replay', 'resume']) {
      const answer = await api.call('POST', `/v1/callbacks/nothing/${action}`);
      expect(answer).toMatchObject({ status: 404, body: { code: 'CALLBACK_NOT_FOUND' } });
    }
    // BullMQ keeps a record of the queue under this name.
    for (const id of [...QUEUE_KEY_NAMES, 'x%3Alock']) {
      expect([id, (await api.call('POST', `/v1/callbacks/${id}/replay`)).status]).toEqual([id, 404]);
    }
    const failed = await api.call('POST', '/v1/callbacks/replay-failed?host=app.example.com');
    expect(failed).toMatchObject({ status: 200, body: { replayed: [] } });
  });

  it('refuses a callback into a private network with the request', async () => {
    const api = await startApi();
    for (const callbackUrl of [
      'https://169.254.169.254/hook',
      'http://app.example.com/',
      'https://u:p@app.example.com/',
    ]) {
      const answer = await api.call('POST', '/v1/publishes', { ...PULL_REQUEST, callbackUrl });
      expect(answer).toMatchObject({
        status: 400,
        body: { code: 'INPUT_INVALID', problems: [{ path: 'callbackUrl' }] },
      });
    }
  });
});
