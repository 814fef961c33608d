import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { enqueue, folderWithVideo, PULL_REQUEST, startApi, useApi } from '../../support/api-site.ts';

const job = z.looseObject({ id: z.string(), created: z.boolean().optional(), state: z.string() });
const page = z.object({ jobs: z.array(job), nextCursor: z.string().nullable() });

describe('POST /v1/publishes', () => {
  it('accepts a request and says where its job is', async () => {
    const api = await startApi();
    const answer = await api.call('POST', '/v1/publishes', { ...PULL_REQUEST, metadata: { yourId: 'a-1' } });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toMatchObject({
      ...{ account: 'acme', mode: 'inbox', state: 'queued', created: true, failure: null },
      metadata: { yourId: 'a-1' },
      timeline: [{ event: 'queued' }],
    });
    const { id } = job.parse(answer.body);
    expect(answer.headers.get('location')).toBe(`/v1/publishes/${id}`);
    const { timeline, createdAt } = z
      .looseObject({ timeline: z.array(z.unknown()), createdAt: z.string() })
      .parse(answer.body);
    expect(timeline).toMatchObject([{ at: createdAt, event: 'queued' }]);
    expect((await api.call('GET', `/v1/publishes/${id}`)).body).toMatchObject({
      id,
      state: 'queued',
      createdAt,
      timeline,
    });
  });

  it('answers the same job to the same idempotency key, and refuses it with another request', async () => {
    const api = await startApi();
    const send = (request: unknown) => api.call('POST', '/v1/publishes', request, { 'idempotency-key': 'spring-7' });
    const first = await send(PULL_REQUEST);
    const again = await send(PULL_REQUEST);
    expect([first.status, again.status]).toEqual([202, 200]);
    expect(again.body).toMatchObject({ id: job.parse(first.body).id, created: false });
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    const other = await send({ ...PULL_REQUEST, account: 'other' });
    expect(other.status).toBe(409);
    expect(other.body).toMatchObject({ status: 409, code: 'IDEMPOTENCY_CONFLICT' });
    const tooLong = await api.call('POST', '/v1/publishes', PULL_REQUEST, { 'idempotency-key': 'k'.repeat(256) });
    expect(tooLong.body).toMatchObject({ code: 'INPUT_INVALID', problems: [{ path: 'idempotency-key' }] });
  });

  it('names every field that is wrong, and keeps the codes of requests from elsewhere', async () => {
    const api = await startApi();
    const wrong = await api.call('POST', '/v1/publishes', { account: 'a b', mode: 'direct', media: {}, shout: true });
    expect(wrong.status).toBe(400);
    expect(wrong.body).toMatchObject({
      code: 'INPUT_INVALID',
      problems: expect.arrayContaining([
        expect.objectContaining({ path: 'account' }),
        expect.objectContaining({ path: 'media.type' }),
        expect.objectContaining({ path: 'shout', message: expect.stringContaining('unknown field') }),
      ]),
    });
    const tomorrow = await api.call('POST', '/v1/publishes', { ...PULL_REQUEST, version: 2 });
    expect(tomorrow.body).toMatchObject({ status: 400, code: 'INPUT_VERSION_UNSUPPORTED' });
  });

  it('refuses numbers that it could not echo exactly, and checks a request the same way', async () => {
    const api = await startApi();
    const json = JSON.stringify({ ...PULL_REQUEST, metadata: { order: 'N' } }).replace('"N"', '1234567890123456789');
    const post = (path: string) =>
      fetch(`${api.url}${path}`, { method: 'POST', body: json, headers: { 'content-type': 'application/json' } });
    const refused = await post('/v1/publishes');
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      problems: [{ path: 'metadata.order', message: expect.stringContaining('write it as a text') }],
    });
    expect(await (await post('/v1/preflight')).json()).toMatchObject({ ok: false });
  });

  it('refuses files where no folder is named for them', async () => {
    const api = await startApi();
    const { file } = await folderWithVideo();
    const answer = await api.call('POST', '/v1/publishes', { ...PULL_REQUEST, media: { type: 'file', path: file } });
    expect(answer.status).toBe(403);
    expect(answer.body).toMatchObject({
      code: 'INPUT_MEDIA_OUTSIDE_ROOTS',
      detail: expect.stringContaining('MEDIA_ROOTS, which is not set'),
    });
    expect((await api.call('GET', '/v1/publishes')).body).toEqual({ jobs: [], nextCursor: null });
  });

  it('takes files from below MEDIA_ROOTS only, wherever links lead', async () => {
    const inside = await folderWithVideo();
    const outside = await folderWithVideo();
    const api = await startApi({ MEDIA_ROOTS: inside.folder });
    await symlink(outside.file, join(inside.folder, 'way-out.mp4'));
    await symlink(inside.file, join(inside.folder, 'way-round.mp4'));
    const statusOf = async (path: string) =>
      (await api.call('POST', '/v1/publishes', { ...PULL_REQUEST, media: { type: 'file', path } })).status;
    expect(await statusOf(inside.file)).toBe(202);
    expect(await statusOf(join(inside.folder, 'way-round.mp4'))).toBe(202);
    expect(await statusOf(join(inside.folder, 'not-here-but-perhaps-at-the-worker.mp4'))).toBe(202);
    expect(await statusOf(join(inside.folder, 'way-out.mp4'))).toBe(403);
    const wayOut = { type: 'file', path: join(inside.folder, 'way-out.mp4') };
    for (const route of ['/v1/publishes', '/v1/preflight']) {
      const { text } = await api.call('POST', route, { ...PULL_REQUEST, media: wayOut });
      expect(text).toContain('way-out.mp4, which leads out of them');
      expect(text).not.toContain(outside.folder);
    }
    expect(await statusOf(join(inside.folder, '..', 'video.mp4'))).toBe(403);
    expect(await statusOf(outside.file)).toBe(403);
    expect(await statusOf(`${inside.folder}-beside/video.mp4`)).toBe(403);
    // A link to a folder must not tell which files there are behind it.
    await symlink(outside.folder, join(inside.folder, 'folder-out'));
    for (const name of ['video.mp4', 'nothing.mp4', 'no/thing.mp4', '../nothing.mp4']) {
      expect([name, await statusOf(`${inside.folder}/folder-out/${name}`)]).toEqual([name, 403]);
    }
  });

  it('takes photos and videos for TikTok to download from below MEDIA_ROOTS only, too', async () => {
    const inside = await folderWithVideo();
    const outside = await folderWithVideo();
    const api = await startApi({ MEDIA_ROOTS: inside.folder });
    const statusOf = async (media: unknown) =>
      (await api.call('POST', '/v1/publishes', { ...PULL_REQUEST, media })).status;
    const photos = (...paths: string[]) => ({ type: 'photos', items: paths.map((path) => ({ type: 'file', path })) });
    expect(await statusOf(photos(inside.file, inside.file))).toBe(202);
    expect(await statusOf(photos(inside.file, outside.file))).toBe(403);
    expect(await statusOf({ type: 'file', path: inside.file, via: 'pull' })).toBe(202);
    expect(await statusOf({ type: 'file', path: outside.file, via: 'pull' })).toBe(403);
  });
});

describe('a job over REST', () => {
  it('says which post it is: its request without secrets, its metadata and its key', async () => {
    const api = await startApi({ OUTBOUND_ALLOW_HOSTS: 'app.example.com' });
    const request = {
      ...{ account: 'acme', mode: 'direct', metadata: { yourId: 'a-1' } },
      media: { type: 'url', url: 'https://u:pass-word@media.example.com/a.mp4?sig=confidential' },
      post: { title: 'Hello', privacyLevel: 'SELF_ONLY' },
      callbackUrl: 'https://app.example.com/hook?token=confidential',
    };
    const answer = await api.call('POST', '/v1/publishes', request, { 'idempotency-key': 'order-7' });
    const shown = {
      idempotencyKey: 'order-7',
      metadata: { yourId: 'a-1' },
      request: {
        ...request,
        media: { type: 'url', url: 'https://media.example.com/a.mp4' },
        callbackUrl: 'https://app.example.com/hook',
      },
    };
    const { id } = job.parse(answer.body);
    const read = await api.call('GET', `/v1/publishes/${id}`);
    for (const { body, text } of [answer, read]) {
      expect(body).toMatchObject(shown);
      expect(text).not.toMatch(/confidential|pass-word|sealed/);
    }
  });

  it('is found by its key, which is not stored if it may hold a secret', async () => {
    const api = await startApi();
    const secretKey = 'import-https://cdn.example.com/a.mp4?sig=confidential';
    for (const key of ['order-7', secretKey]) {
      const sent = await api.call('POST', '/v1/publishes', PULL_REQUEST, { 'idempotency-key': key });
      const query = new URLSearchParams({ idempotencyKey: key });
      const found = await api.call('GET', `/v1/publishes?${query}`);
      const idempotencyKey = key === secretKey ? null : key;
      expect(found.body).toMatchObject({ jobs: [{ id: job.parse(sent.body).id, idempotencyKey }], nextCursor: null });
      query.set('account', 'other');
      expect((await api.call('GET', `/v1/publishes?${query}`)).body).toMatchObject({ jobs: [] });
    }
    expect((await api.call('GET', '/v1/publishes?idempotencyKey=order-8')).body).toMatchObject({ jobs: [] });
  });

  it('is refused with a part that only the library may set', async () => {
    const api = await startApi();
    const answer = await api.call('POST', '/v1/publishes', { ...PULL_REQUEST, sealed: 'x' });
    expect(answer.body).toMatchObject({ code: 'INPUT_INVALID', problems: [{ path: 'sealed' }] });
  });
});

describe('GET /v1/publishes', () => {
  it('leads through all jobs page by page, newest first, by account and state too', async () => {
    const api = await startApi();
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      ids.unshift(await enqueue(api, { ...PULL_REQUEST, account: i === 2 ? 'other' : 'acme' }));
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query = new URLSearchParams({ limit: '2', ...(cursor !== '' && { cursor }) });
      const found = page.parse((await api.call('GET', `/v1/publishes?${query}`)).body);
      expect(found.jobs.length).toBeLessThanOrEqual(2);
      seen.push(...found.jobs.map(({ id }) => id));
      cursor = found.nextCursor;
    }
    expect(seen).toEqual(ids);
    const others = page.parse((await api.call('GET', '/v1/publishes?account=other&state=queued')).body);
    expect(others.jobs.map(({ id }) => id)).toEqual([ids[2]]);
    expect(page.parse((await api.call('GET', '/v1/publishes?state=published')).body).jobs).toEqual([]);
  });

  it('finds jobs by several states, metadata and time, oldest first, and counts them', async () => {
    const api = await startApi();
    await api.ledger.publishIndexes(['campaign']);
    const first = await enqueue(api, { ...PULL_REQUEST, metadata: { campaign: 'spring', run: 7 } });
    const second = await enqueue(api, { ...PULL_REQUEST, metadata: { campaign: 'spring' } });
    const other = await enqueue(api, { ...PULL_REQUEST, account: 'other', metadata: { campaign: 'a=b&c' } });
    await api.call('POST', `/v1/publishes/${second}/cancel`);
    for (const [query, ids] of [
      ['state=queued,cancelled&metadata.campaign=spring&order=oldest', [first, second]],
      ['state=queued&state=cancelled&metadata[campaign]=spring', [second, first]],
      [`metadata.campaign=${encodeURIComponent('a=b&c')}`, [other]],
      [`endedFrom=${new Date(Date.now() - 60_000).toISOString()}&media=pull`, [second]],
      ['createdBefore=2026-01-01T00:00:00Z', []],
    ] as const) {
      const found = page.parse((await api.call('GET', `/v1/publishes?${query}`)).body);
      expect([query, found.jobs.map(({ id }) => id)]).toEqual([query, ids]);
    }
    expect((await api.call('GET', '/v1/publishes/counts')).body).toMatchObject({
      ...{ total: 3, states: { queued: 2, cancelled: 1 }, codes: {} },
    });
    expect((await api.call('GET', '/v1/publishes/counts?account=other')).body).toMatchObject({
      ...{ total: 1, states: { queued: 1 } },
    });
  });

  const shared = useApi();

  it.each([
    ['a cursor that is none', 'cursor=zz', 'cursor'],
    ['a cursor of something else', `cursor=${Buffer.from('{"a":1}').toString('base64url')}`, 'cursor'],
    ['no cursor at all', 'cursor=', 'cursor'],
    ['a limit of none', 'limit=0', 'limit'],
    ['a limit that is too large', 'limit=501', 'limit'],
    ['a limit that is no number', 'limit=ten', 'limit'],
    ['two limits', 'limit=1&limit=2', 'limit'],
    ['a state that does not exist', 'state=failed,done', 'state'],
    ['a time without a time zone', 'endedFrom=2026-12-01T10:00', 'endedFrom'],
    ['metadata that is not indexed', 'metadata.campaign=spring', 'metadata.campaign'],
    ['metadata of a name that is no field', 'metadata.__proto__=spring', 'metadata.__proto__'],
    ['metadata of that name in brackets', 'metadata[__proto__]=spring', 'metadata[__proto__]'],
    ['a parameter that does not exist', 'acount=acme', 'acount'],
  ])('names the field for %s', async (_title, query, path) => {
    const answer = await shared().call('GET', `/v1/publishes?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'INPUT_INVALID', problems: [{ path }] });
  });
});

describe('a job', () => {
  it('is cancelled once, and cannot be retried after that', async () => {
    const api = await startApi();
    const id = await enqueue(api);
    expect((await api.call('POST', `/v1/publishes/${id}/cancel`)).body).toMatchObject({ id, state: 'cancelled' });
    expect((await api.call('POST', `/v1/publishes/${id}/cancel`)).status).toBe(200);
    for (const body of [undefined, {}, { force: true }]) {
      const retried = await api.call('POST', `/v1/publishes/${id}/retry`, body);
      expect(retried.status).toBe(409);
      expect(retried.body).toMatchObject({ code: 'JOB_NOT_RETRYABLE' });
    }
  });

  it('is changed until it has begun or ended, field by field', async () => {
    const api = await startApi();
    const id = await enqueue(api);
    const change = (body: unknown) => api.call('PATCH', `/v1/publishes/${id}`, body);
    const scheduledAt = '2096-12-01T10:00:00Z';
    const changed = await change({ scheduledAt, priority: 3, post: { title: 'Later' } });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({
      ...{ id, state: 'scheduled', scheduledAt: '2096-12-01T10:00:00.000Z' },
      timeline: [{ event: 'queued' }, { event: 'updated', scheduledAt, priority: 3, post: ['title'] }],
    });
    const wrong = await change({ post: { title: 1 }, media: {} });
    expect(wrong).toMatchObject({ status: 400, body: { problems: [{ path: 'post.title' }, { path: 'media' }] } });
    expect(await change({ scheduledAt: '2020-01-01T00:00:00Z' })).toMatchObject({
      status: 400,
      body: { code: 'INPUT_SCHEDULED_IN_PAST', problems: [{ path: 'scheduledAt' }] },
    });
    await api.call('POST', `/v1/publishes/${id}/cancel`);
    expect(await change({ priority: 1 })).toMatchObject({ status: 409, body: { code: 'JOB_NOT_CHANGEABLE' } });
  });

  it('that does not exist is not found, whatever is done to it', async () => {
    const api = await startApi();
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/events'],
      ['POST', '/cancel'],
      ['POST', '/retry'],
      ['PATCH', ''],
    ] as const) {
      const answer = await api.call(method, `/v1/publishes/0${path}`, method === 'PATCH' ? {} : undefined);
      expect(answer.status).toBe(404);
      expect(answer.body).toMatchObject({ code: 'JOB_NOT_FOUND' });
    }
  });
});
