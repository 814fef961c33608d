import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Api, PULL_REQUEST, startApi } from '../../support/api-site.ts';

const ADMIN = { authorization: 'Bearer the-bootstrap-key' };
const CANCEL = { kind: 'cancel', filter: { state: ['queued'] } };
const withId = z.looseObject({ id: z.string() });

/** An API whose key `acme` has that account only, and one job of it and of another account. */
async function startOperated() {
  const api = await startApi({ API_KEYS: 'the-bootstrap-key' });
  const made = await api.call(
    'POST',
    '/v1/keys',
    { name: 'a', scopes: ['read', 'operate'], accounts: ['acme'] },
    ADMIN,
  );
  const { key } = z.looseObject({ key: z.string() }).parse(made.body);
  const jobs: string[] = [];
  for (const account of ['acme', 'other']) {
    const answer = await api.call('POST', '/v1/publishes', { ...PULL_REQUEST, account }, ADMIN);
    jobs.push(withId.parse(answer.body).id);
  }
  const as = (headers: Record<string, string>) => (method: string, path: string, body?: unknown) =>
    api.call(method, path, body, headers);
  return { api, jobs, admin: as(ADMIN), limited: as({ authorization: `Bearer ${key}` }) };
}

const start = async (call: (...request: Parameters<Api['call']>) => ReturnType<Api['call']>, body: unknown) => {
  const answer = await call('POST', '/v1/operations', body);
  expect(answer.status).toBe(202);
  return withId.parse(answer.body).id;
};

describe('an operation over REST', () => {
  it('is started once under an idempotency key, which is of one caller and stands for one request', async () => {
    const { api } = await startOperated();
    const ask = (body: unknown) => api.call('POST', '/v1/operations', body, { ...ADMIN, 'idempotency-key': 'night-7' });
    const first = await ask(CANCEL);
    const again = await ask(CANCEL);
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(withId.parse(again.body).id).toBe(withId.parse(first.body).id);
    expect(await ask({ ...CANCEL, kind: 'retry' })).toMatchObject({
      status: 409,
      body: { code: 'IDEMPOTENCY_CONFLICT' },
    });
    const { body } = await api.call('GET', '/v1/audit?action=operation.start', undefined, ADMIN);
    expect(z.looseObject({ entries: z.array(z.unknown()) }).parse(body).entries).toHaveLength(1);
  });

  it('is previewed, started, shown, listed and aborted, with a line in the trail', async () => {
    const { admin, jobs } = await startOperated();
    const preview = await admin('POST', '/v1/operations', { ...CANCEL, dryRun: true, limit: 1 });
    expect(preview).toMatchObject({
      status: 200,
      body: {
        ...{ jobCount: 2, totals: { ways: { cancel: 2 }, refused: [] } },
        jobs: [{ id: jobs[0], account: 'acme', state: 'queued', way: 'cancel', refusal: null }],
      },
    });
    const { nextCursor: cursor } = z.looseObject({ nextCursor: z.string() }).parse(preview.body);
    const next = await admin('POST', '/v1/operations', { ...CANCEL, dryRun: true, cursor });
    expect(next.body).toMatchObject({ jobCount: null, totals: null, jobs: [{ id: jobs[1] }], nextCursor: null });

    const id = await start(admin, CANCEL);
    const running = { id, kind: 'cancel', state: 'running', by: 'API_KEYS 1', jobCount: null, doneCount: 0 };
    expect((await admin('GET', `/v1/operations/${id}`)).body).toMatchObject(running);
    expect((await admin('GET', '/v1/operations')).body).toMatchObject({ operations: [running] });
    const aborted = { id, state: 'aborted', abortedBy: 'API_KEYS 1' };
    expect((await admin('POST', `/v1/operations/${id}/abort`)).body).toMatchObject(aborted);
    expect((await admin('GET', '/v1/audit')).body).toMatchObject({
      entries: [
        { action: 'operation.abort', subject: id, by: 'API_KEYS 1' },
        { action: 'operation.start', subject: id, after: { kind: 'cancel', filter: { state: ['queued'] } } },
        { action: 'key.create' },
      ],
    });
  });

  it('is one of its own accounts only, for a key that is limited to some', async () => {
    const { admin, limited, jobs } = await startOperated();
    const preview = await limited('POST', '/v1/operations', { ...CANCEL, dryRun: true });
    expect(preview.body).toMatchObject({ jobCount: 1, jobs: [{ id: jobs[0], account: 'acme' }] });
    const foreign = { ...CANCEL, filter: { account: 'other' } };
    for (const dryRun of [true, false]) {
      expect(await limited('POST', '/v1/operations', { ...foreign, dryRun })).toMatchObject({
        status: 404,
        body: { code: 'INPUT_ACCOUNT_UNKNOWN' },
      });
    }
    const own = await start(limited, CANCEL);
    expect((await admin('GET', `/v1/operations/${own}`)).body).toMatchObject({
      filter: { account: ['acme'] },
      by: 'key a',
    });
    for (const body of [CANCEL, foreign, { ...CANCEL, filter: { account: 'acme' } }]) {
      const id = await start(admin, body);
      const isOwn = JSON.stringify(body).includes('acme');
      expect((await limited('GET', `/v1/operations/${id}`)).status).toBe(isOwn ? 200 : 404);
      expect((await limited('POST', `/v1/operations/${id}/abort`)).status).toBe(isOwn ? 200 : 404);
    }
    const { operations } = z
      .object({ operations: z.array(z.looseObject({ filter: z.unknown() })) })
      .parse((await limited('GET', '/v1/operations')).body);
    expect(operations.map(({ filter }) => filter)).toMatchObject([{ account: ['acme'] }, { account: ['acme'] }]);
  });

  it('is previewed by one key so often at a time, and by the others meanwhile', async () => {
    const { admin, limited } = await startOperated();
    const preview = (call: typeof admin) => call('POST', '/v1/operations', { ...CANCEL, dryRun: true });
    const many = Promise.all(Array.from({ length: 20 }, () => preview(limited)));
    expect((await preview(admin)).status).toBe(200);
    const refused = (await many).filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, body } of refused) {
      expect([status, body]).toEqual([409, expect.objectContaining({ code: 'OPERATION_LIMIT' })]);
    }
    expect((await preview(limited)).status).toBe(200);
  });

  it.each([
    [{ ...CANCEL, filter: {} }, 'filter'],
    [{ ...CANCEL, filter: { metadata: {} } }, 'filter'],
    [{ ...CANCEL, kind: 'delete' }, 'kind'],
    [{ ...CANCEL, filter: { state: ['lost'] } }, 'filter.state.0'],
    [{ ...CANCEL, limit: 5 }, 'limit'],
    [{ ...CANCEL, ratePerSecond: 0 }, 'ratePerSecond'],
    [{ kind: 'reschedule', filter: { state: ['scheduled'] } }, 'scheduledAt'],
    [{ kind: 'reschedule', filter: { state: ['scheduled'] }, scheduledAt: 'soon' }, 'scheduledAt'],
  ])('is refused as %j', async (body, path) => {
    const { admin } = await startOperated();
    const answer = await admin('POST', '/v1/operations', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'INPUT_INVALID', problems: [{ path }] } });
  });
});
