import { createHash, randomBytes } from 'node:crypto';
import { appRoutes } from '@bull-board/api/dist/routes.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { PublishRequest } from '../../../src/core/publish-request.ts';
import { startServer, type WebServer } from '../../../src/http/start-server.ts';
import { openLogger } from '../../../src/observability/logger.ts';
import { createMetrics } from '../../../src/observability/metrics.ts';
import type { FaultAct } from '../../../src/simulator/index.ts';
import { OPERATOR, signedInAs, startBoardSite, VIEWER } from '../../support/board-site.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { PULL_URL, PULLS } from '../../support/publish-case.ts';
import { makeVideo } from '../../support/videos.ts';
import { request } from './raw-request.ts';

const operator = signedInAs(OPERATOR);
const viewer = signedInAs(VIEWER);
const entry = z.looseObject({ id: z.string(), stacktrace: z.array(z.string()) });
const lists = z.object({ queues: z.array(z.looseObject({ name: z.string(), jobs: z.array(entry) })) });
const page = z.object({ job: entry });
const WAIT = { timeoutMs: 90_000 };
const CHANGING = ['post', 'put', 'patch'];

let pipeline: Pipeline;
let site: WebServer;
let video: string;

beforeAll(async () => {
  pipeline = await startPipeline({ simulator: { ...PULLS, processingMs: 20, pullMs: 20 } });
  site = await startBoardSite(pipeline);
  video = await makeVideo(pipeline.folder, 1_000);
});
afterAll(async () => {
  await site?.close();
  await pipeline?.close();
});

const get = (path: string, headers: Record<string, string> = operator) => fetch(`${site.url}${path}`, { headers });
const json = async (path: string, headers: Record<string, string> = operator) =>
  await (await get(path, headers)).json();
const retry = (queue: string, id: string, headers: Record<string, string> = operator) =>
  fetch(`${site.url}/board/api/queues/${queue}/${id}/retry`, { method: 'PUT', headers });

/** A job of an account of its own, since each may begin six a minute. */
async function enqueue(
  act: FaultAct,
  media: PublishRequest['media'] = { type: 'file', path: video },
  title = 'A title',
) {
  const account = `creator-${randomBytes(4).toString('hex')}`;
  const { openId } = await pipeline.addAccount(account);
  pipeline.simulator.faults.add({ endpoint: 'video_init', when: { openId }, act });
  const post = { title, privacyLevel: 'SELF_ONLY' } as const;
  const { id } = await pipeline.publisher.enqueue({ account, mode: 'direct', media, post });
  return { id, account, ended: await pipeline.publisher.waitForCompletion(id, WAIT) };
}

/** A job that TikTok failed, whose next try will do. */
async function failedJob(): Promise<{ id: string; account: string }> {
  const { id, account, ended } = await enqueue({ kind: 'fail_processing', failReason: 'file_format_check_failed' });
  expect(ended.state).toBe('failed');
  await eventually(async () => (await pipeline.queues.status.getJobState(id)) === 'failed');
  return { id, account };
}

/** A pull of which nobody knows whether TikTok published it. */
async function unconfirmedJob(): Promise<string> {
  const media = { type: 'pull', url: `${PULL_URL}?signature=confidential` } as const;
  const { id, ended } = await enqueue({ kind: 'drop_before' }, media);
  expect(ended.state).toBe('unconfirmed');
  await eventually(async () => (await pipeline.queues.publish.getJobState(id)) === 'failed');
  return id;
}

describe('what the board shows', () => {
  it('names an entry after account, mode and video, and tells state, failure and request', async () => {
    const { id, account } = await failedJob();
    const expected = {
      id,
      name: `${account} · direct · video-1000.mp4`,
      data: {
        job: { id, state: 'failed', failure: { code: 'TIKTOK_MEDIA_FORMAT' } },
        request: { account, post: { title: 'A title' } },
        entry: { account },
      },
      externalUrl: { href: `/publishes/${id}` },
    };
    const { queues } = lists.parse(await json('/board/api/queues?activeQueue=tiktok-status&status=failed'));
    const listed = queues.find(({ name }) => name === 'tiktok-status')?.jobs ?? [];
    expect(listed.find((job) => job.id === id)).toMatchObject(expected);
    const { job } = page.parse(await json(`/board/api/queues/tiktok-status/${id}`));
    expect(job).toMatchObject(expected);
    expect(job.stacktrace[0]).toMatch(/^TIKTOK_MEDIA_FORMAT: .*\nWhat to do: Encode it as MP4/);
  });

  it('shows the timeline as the log of an entry, in words', async () => {
    const { id } = await failedJob();
    for (const queue of ['tiktok-publish', 'tiktok-status']) {
      const lines = z.array(z.string()).parse(await json(`/board/api/queues/${queue}/${id}/logs`));
      expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z {2}queued/);
      expect(lines.some((line) => /init answered {2}publish id: v_pub/.test(line))).toBe(true);
      expect(lines.at(-1)).toContain('failed');
    }
  });

  it("leaves out what an app added to BullMQ's log of an entry, of any length", async () => {
    const { id } = await failedJob();
    await pipeline.redis.rpush(pipeline.queues.publish.toKey(`${id}:logs`), 'x'.repeat(10_000_000));
    const answer = await get(`/board/api/queues/tiktok-publish/${id}/logs`);
    expect((await answer.text()).length).toBeLessThan(100_000);
  });

  it('shows an entry that no job is known for as it is, without its secrets', async () => {
    const data = {
      hello: 'world',
      accessToken: 'act.abcdefghijklmnop',
      note: 'see https://a.example/b?upload_token=x',
    };
    await pipeline.queues.events.add('foreign', data, { jobId: 'foreign-1', delay: 3_600_000 });
    expect(page.parse(await json('/board/api/queues/tiktok-events/foreign-1')).job).toMatchObject({
      name: 'foreign',
      data: { hello: 'world', accessToken: '[hidden]', note: 'see https://a.example/b?[hidden]' },
    });
  });

  it('names a delivery after its event and its publish job, and links the job', async () => {
    const { id } = await failedJob();
    const event = { id: `${id}-9-1`, type: 'publish.failed', subject: id };
    const data = { version: 1, id, event };
    await pipeline.queues.events.add('deliver', data, { jobId: event.id, delay: 3_600_000 });
    expect(page.parse(await json(`/board/api/queues/tiktok-events/${event.id}`)).job).toMatchObject({
      name: `publish.failed · ${id}`,
      data,
      externalUrl: { href: `/publishes/${id}`, displayText: 'Job page' },
    });
  });

  it('has a page for each publish job that links its entries and escapes what comes from outside', async () => {
    const title = '<script>alert(1)</script>';
    const { id, account } = await enqueue({ kind: 'status', httpStatus: 403, code: 'spam_risk' }, undefined, title);
    const answer = await get(`/publishes/${id}`);
    const html = await answer.text();
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(html).toContain(`<h1>${account} · direct · video-1000.mp4</h1>`);
    expect(html).toContain(`href="/board/queue/tiktok-publish/${id}"`);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).not.toContain(title);
    expect(html).toContain('init sent');
    expect(html).toContain('href="/"');
  });

  it('hides the query of a URL on every page', async () => {
    const id = await unconfirmedJob();
    const paths = [
      `/publishes/${id}`,
      `/board/api/queues/tiktok-publish/${id}`,
      `/board/api/queues/tiktok-publish/${id}/logs`,
    ];
    for (const path of paths) {
      const answer = await get(path);
      expect(answer.status).toBe(200);
      expect(await answer.text()).not.toContain('confidential');
    }
  });

  it('knows no page of another id', async () => {
    const answer = await get('/publishes/nobody');
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it('loads nothing from elsewhere and cannot be framed', async () => {
    const answer = await get('/board');
    expect(await answer.text()).not.toMatch(/(href|src)="https?:/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const policy = answer.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
  });
});

describe('retry on the board', () => {
  it('goes through the ledger, and the post appears once', async () => {
    const { publisher, simulator } = pipeline;
    const { id } = await failedJob();
    const postsBefore = simulator.journal.posts().length;
    expect((await retry('tiktok-status', id)).status).toBe(204);
    const job = await publisher.waitForCompletion(id, WAIT);
    expect(job.state).toBe('published');
    expect(job.timeline).toContainEqual(expect.objectContaining({ event: 'retry_requested', action: 'fresh_init' }));
    expect(simulator.journal.posts()).toHaveLength(postsBefore + 1);
  });

  it('refuses what could post twice, in words for people, and changes nothing', async () => {
    const id = await unconfirmedJob();
    const before = await pipeline.publisher.get(id);
    const answer = await retry('tiktok-publish', id);
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({
      code: 'JOB_NOT_RETRYABLE',
      error: 'Not done',
      message: expect.stringContaining('TikTok may have published the post'),
    });
    expect(await pipeline.publisher.get(id)).toEqual(before);
    expect(await pipeline.queues.publish.getJobState(id)).toBe('failed');
  });

  it('takes any entry of a failed job, and refuses one that is published by now', async () => {
    const { id: failed } = await failedJob();
    expect(await pipeline.queues.publish.getJobState(failed)).toBe('completed');
    expect((await retry('tiktok-publish', failed)).status).toBe(204);
    await pipeline.publisher.waitForCompletion(failed, WAIT);
    await eventually(async () => (await pipeline.queues.status.getJobState(failed)) === 'completed');
    const answer = await retry('tiktok-status', failed);
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining('this job is published') });
  });

  it('of an entry that no job is known for is refused', async () => {
    await pipeline.queues.status.add('status', { id: 'nobody' }, { jobId: 'nobody', delay: 0 });
    await eventually(async () => ['completed', 'failed'].includes(await pipeline.queues.status.getJobState('nobody')));
    const answer = await retry('tiktok-status', 'nobody');
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it('asked for by a page of somebody else is refused, whatever login the browser sends along', async () => {
    const { id } = await failedJob();
    const { host } = new URL(site.url);
    const foreign = [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }];
    for (const headers of foreign) {
      const answer = await retry('tiktok-status', id, { ...operator, ...headers });
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ code: 'ORIGIN_REFUSED' });
    }
    // As nginx sends it unless told: without the name that the browser asked for.
    const proxied = await retry('tiktok-status', id, { ...operator, origin: 'http://board.lan' });
    expect(await proxied.json()).toMatchObject({
      message: expect.stringMatching(/at board\.lan, but the Host header .* 127\.0\.0\.1:\d+\..*proxy_set_header Host/),
    });
    expect(await pipeline.publisher.get(id)).toMatchObject({ state: 'failed' });
    expect((await retry('tiktok-status', id, { ...operator, origin: `http://${host}` })).status).toBe(204);
    await pipeline.publisher.waitForCompletion(id, WAIT);
  });
});

/** Every route by which Bull Board changes something, filled in with a job. */
function changes(id: string) {
  return appRoutes.api.flatMap(({ method, route }) =>
    [method].flat().flatMap((verb) =>
      [route].flat().flatMap((path) => {
        if (!CHANGING.includes(verb)) return [];
        const filled = path
          .replace(':queueName', 'tiktok-status')
          .replace(':jobId', id)
          .replace(':queueStatus', 'failed')
          .replace(':schedulerId', 'none');
        return [{ method: verb.toUpperCase(), path: `/board${filled}`, isRetry: path.endsWith('/:jobId/retry') }];
      }),
    ),
  );
}

describe('every other change', () => {
  it('is refused to operators, whichever route of the board it takes', async () => {
    const { id } = await failedJob();
    const others = changes(id).filter(({ isRetry }) => !isRetry);
    expect(others.length).toBeGreaterThan(18);
    for (const { method, path } of others) {
      const headers = { ...operator, 'content-type': 'application/json' };
      const answer = await fetch(`${site.url}${path}`, { method, headers, body: '{}' });
      expect([path, answer.status]).toEqual([path, 403]);
      expect(await answer.json()).toMatchObject({ code: 'BOARD_CHANGE_REFUSED', message: expect.any(String) });
    }
    expect(await pipeline.queues.status.getJobState(id)).toBe('failed');
    expect(await pipeline.queues.status.isPaused()).toBe(false);
  });

  it('and the retry too is refused to those who may look only, who see everything else', async () => {
    const { id } = await failedJob();
    for (const { method, path } of changes(id)) {
      const answer = await fetch(`${site.url}${path}`, { method, headers: viewer });
      expect([path, answer.status]).toEqual([path, 403]);
      expect(await answer.json()).toMatchObject({ code: 'BOARD_READ_ONLY' });
    }
    expect(await pipeline.publisher.get(id)).toMatchObject({ state: 'failed' });
    for (const path of ['/board', `/publishes/${id}`, `/board/api/queues/tiktok-status/${id}`]) {
      expect((await get(path, viewer)).status).toBe(200);
    }
    const flags = async (headers: Record<string, string>) =>
      lists
        .parse(await json('/board/api/queues', headers))
        .queues.map(({ readOnlyMode, allowRetries }) => [readOnlyMode, allowRetries]);
    expect(await flags(viewer)).toEqual([
      [true, false],
      [true, false],
      [true, false],
    ]);
    expect(await flags(operator)).toEqual([
      [false, true],
      [false, true],
      [false, false],
    ]);
  });
});

describe('who is let in', () => {
  const { api, entryPoint } = appRoutes;
  const routes = [
    ...[entryPoint, ...api].flatMap(({ method, route }) =>
      [method]
        .flat()
        .flatMap((verb) => [route].flat().map((path) => ({ method: verb.toUpperCase(), path: `/board${path}` }))),
    ),
    ...['/board/static/favicon-32x32.png', '/board/static/no-such-file.js', '/publishes/any'].map((path) => ({
      method: 'GET',
      path,
    })),
  ];
  const start = async (host: string, operators: { login?: typeof OPERATOR } = {}) =>
    await startServer({
      ...{ host, port: 0, metrics: createMetrics(), readinessChecks: [] },
      log: await openLogger({ level: 'silent', format: 'json' }),
      board: {
        queues: [],
        jobs: {
          idOf: () => undefined,
          find: async () => [],
          plansOf: async () => undefined,
          retry: async () => undefined,
        },
      },
      operators,
    });

  it('asks for a login everywhere, and takes neither a wrong one nor half a right one', async () => {
    const wrong = [
      {},
      signedInAs({ ...OPERATOR, password: 'wrong' }),
      signedInAs({ user: OPERATOR.user, password: VIEWER.password }),
      signedInAs({ user: VIEWER.user, password: OPERATOR.password }),
      { authorization: 'Basic !' },
      { authorization: 'Bearer x' },
    ];
    for (const [index, { method, path }] of routes.entries()) {
      for (const headers of wrong) {
        const client = { ...headers, 'x-forwarded-for': `192.0.2.${index}` };
        const answer = await fetch(`${site.url}${path}`, { method, headers: client });
        expect([path, answer.status]).toEqual([path, 401]);
        expect(answer.headers.get('www-authenticate')).toContain('Basic');
      }
    }
    expect((await get('/board/static/favicon-32x32.png', viewer)).status).toBe(200);
  });

  it('looks at no password of an address for a minute that has sent ten wrong ones', async () => {
    const from = (address: string, headers = {}) => get('/board', { ...headers, 'x-forwarded-for': address });
    const guess = { authorization: `Basic ${btoa('ops:guess')}` };
    for (let count = 0; count < 10; count += 1) {
      // Two addresses of one network.
      expect((await from(`2001:db8::${count % 2}:1`, guess)).status).toBe(401);
    }
    const refused = await from('2001:db8::abcd', operator);
    expect([refused.status, await refused.json()]).toMatchObject([429, { code: 'LOGIN_RATE_LIMITED' }]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await from('2001:db8:0:1::1', operator)).status).toBe(200);
    // Who asks without a login, as a browser does first, guesses nothing.
    for (let count = 0; count < 20; count += 1) expect((await from('192.0.2.200')).status).toBe(401);
    expect((await from('192.0.2.200', operator)).status).toBe(200);
  });

  it('lets in under every name whoever has the login', async () => {
    const { port } = new URL(site.url);
    expect((await request(`http://127.0.0.1:${port}/board`, { host: 'queues.example', ...operator })).status).toBe(200);
  });

  it('without a login serves this machine only, under its own name and on no other address', async () => {
    const local = await start('127.0.0.1');
    const open = await start('0.0.0.0');
    try {
      const { port } = new URL(local.url);
      for (const { method, path } of routes) {
        expect([path, (await fetch(`${open.url}${path}`, { method })).status]).toEqual([path, 403]);
        if (method !== 'GET') continue;
        const rebound = await request(`${local.url}${path}`, { host: `evil.example:${port}` });
        expect([path, rebound.status]).toEqual([path, 403]);
        expect(JSON.parse(rebound.body)).toMatchObject({ code: 'BOARD_NEEDS_LOGIN' });
      }
      expect((await request(`${local.url}/board`, { host: `localhost:${port}` })).status).toBe(200);
      expect((await fetch(`${open.url}/healthz`)).status).toBe(200);
    } finally {
      await local.close();
      await open.close();
    }
  });
});

/** Values of which a program might make nothing: not decodable, too large, no number, names of prototypes. */
const ODD_VALUES = [
  '%25',
  '%25E0%25A4%25A',
  '%E0%A4%A',
  '%00',
  '-1',
  '1.5',
  '1e16',
  '1e400',
  'NaN',
  '__proto__',
  'x',
  '',
];
const PARAMETERS = ['activeQueue', 'status', 'page', 'jobsPerPage', 'start', 'end', 'from', 'to', 'type', 'depth'];

/** Each as a client of its own, because of the limit of requests. */
function asClient(name: string) {
  const address = createHash('sha256').update(name).digest().subarray(0, 3).join('.');
  return { ...operator, 'x-forwarded-for': `100.${address}` };
}

describe('a query or path of the board that makes no sense', () => {
  it.each(
    [...appRoutes.api, appRoutes.entryPoint]
      .filter(({ method }) => [method].flat().includes('get'))
      .flatMap(({ route }) => route),
  )('is no fault of the server: %s', async (route) => {
    const path = `/board${route.replace(':queueName', 'tiktok-publish').replace(':jobId', 'nothing')}`;
    const broken = `/board${route.replace(':queueName', '__proto__').replace(':jobId', '%25')}`;
    const queries = PARAMETERS.flatMap((name) => ODD_VALUES.map((value) => `${name}=${value}`));
    const asked = [
      ...queries.flatMap((query) => [`${path}?${query}`, `${path}?activeQueue=tiktok-publish&status=failed&${query}`]),
      ...[`${path}?page[a]=1`, `${path}?page=1&page=2`, broken],
    ];
    const answers = await Promise.all(
      asked.map(async (address) => {
        const { status, body } = await get(address, asClient(route));
        await body?.cancel();
        return { address, status };
      }),
    );
    expect(answers.filter(({ status }) => status >= 500 || status === 429)).toEqual([]);
  });

  it('is refused by the name of its parameter', async () => {
    expect(await json('/board/api/queues?activeQueue=%25', asClient('one more'))).toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining('"activeQueue"'),
    });
  });

  it('is refused where it asks for more entries than the page of the board does', async () => {
    const list = '/board/api/queues?activeQueue=tiktok-publish&status=failed&jobsPerPage=';
    expect(await json(`${list}300`, asClient('a large page'))).toHaveProperty('queues');
    const message = expect.stringContaining('"jobsPerPage" in the query is neither a text nor a number up to 300');
    expect(await json(`${list}301`, asClient('a larger page'))).toMatchObject({ code: 'REQUEST_INVALID', message });
  });
});
