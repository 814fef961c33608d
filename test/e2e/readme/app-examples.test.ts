import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../src/embedded-redis/redis-process.ts';
import { eventually } from '../../support/eventually.ts';
import { makeVideo, sha256OfFile } from '../../support/videos.ts';
import { endCommands, freshEnvironment } from '../cli/command.ts';
import { endExamples, HOSTILE_APP, runExample, serveExample } from './example-process.ts';
import { postsOf, startTerminals } from './terminals.ts';

const run = promisify(execFile);
const pathOf = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

let folder: string;
let video: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-examples-'));
  video = await makeVideo(folder, 1_000_000);
});

afterEach(async () => {
  await endExamples();
  await endCommands();
  await rm(folder, { recursive: true, force: true });
});

/** Sends JSON; answers status and document. */
async function send(url: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(url, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json', ...headers },
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

const aPost = () => ({ account: 'simulated', video: basename(video), title: 'From an app', privacy: 'SELF_ONLY' });

const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes, say').toString('base64')}`;

/** What both web apps promise: enqueued once, shown to the end, wrong ones refused with every problem. */
async function expectToPublish(publishUrl: string, jobUrl: (id: string) => string, simulatorUrl: string) {
  const key = { 'idempotency-key': 'post-1' };
  const accepted = await send(publishUrl, aPost(), key);
  expect(accepted).toMatchObject({ status: 202, body: { state: 'queued' } });
  expect(await send(publishUrl, aPost(), key)).toMatchObject({ status: 200, body: { id: accepted.body.id } });
  expect(await send(publishUrl, { ...aPost(), title: 'Other' }, key)).toMatchObject({
    ...{ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } },
  });
  await eventually(async () => (await send(jobUrl(accepted.body.id))).body.state === 'published', {
    timeoutMs: 90_000,
  });
  const [post, ...others] = await postsOf(simulatorUrl);
  expect(others).toEqual([]);
  expect(post).toMatchObject({ title: 'From an app', sha256: await sha256OfFile(video) });
  const refused = await send(publishUrl, { ...aPost(), privacy: 'EVERYBODY' });
  expect(refused).toMatchObject({ status: 400, body: { code: 'INPUT_INVALID' } });
  expect(refused.body.problems.map(({ path }: { path: string }) => path)).toEqual(['post.privacyLevel']);
  expect(await send(jobUrl('made-up'))).toMatchObject({ status: 404, body: { code: 'JOB_NOT_FOUND' } });
}

describe('the Express app', () => {
  it('publishes what it is sent, once, and is called back', async () => {
    // Callbacks to this machine have to be allowed, where jobs are accepted and where they are called.
    const env = freshEnvironment({ OUTBOUND_ALLOW_HOSTS: '127.0.0.1', CALLBACK_SECRETS: SECRET });
    const { simulatorUrl } = await startTerminals(env);
    const PORT = String(await freePort());
    const settings = { PORT, VIDEO_FOLDER: folder, CALLBACK_SECRET: SECRET };
    const CALLBACK_URL = `http://127.0.0.1:${PORT}/callbacks`;
    const app = await serveExample('express-app.mjs', { ...env, ...settings, CALLBACK_URL });
    await expectToPublish(`${app.url}/publish`, (id) => `${app.url}/publish/${id}`, simulatorUrl);
    await eventually(() => /publish\.published [\w-]+/.test(app.stdout()));
    expect((await app.stop()).exitCode).toBe(0);
  });

  it('takes callbacks that are signed with its secret, once each, and no others', async () => {
    const app = await serveExample('express-app.mjs', { ...freshEnvironment(), PORT: '0', CALLBACK_SECRET: SECRET });
    const event = { id: 'job-1-3-1', type: 'publish.published', subject: 'job-1', data: {} };
    const body = JSON.stringify(event);
    const call = async (signedWith: string, at = new Date(), sent = body) => {
      const headers = {
        'content-type': 'application/json; charset=utf-8',
        'webhook-id': event.id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': new Webhook(signedWith).sign(event.id, at, body),
      };
      return (await fetch(`${app.url}/callbacks`, { method: 'POST', body: sent, headers })).status;
    };
    const other = `whsec_${Buffer.from('another secret of thirty-two byte').toString('base64')}`;
    expect(await call(SECRET)).toBe(204);
    expect(await call(SECRET)).toBe(204);
    expect(await call(other)).toBe(401);
    expect(await call(SECRET, new Date(), body.replace('published', 'failed'))).toBe(401);
    expect(await call(SECRET, new Date(Date.now() - 3_600_000))).toBe(401);
    const { stdout } = await app.stop();
    expect(stdout.match(/publish\.published job-1/g)).toHaveLength(1);
  });
});

const NEXT_ROUTE = 'examples/nextjs/app/api/publish/route.ts';

/** Next.js is not installed here. It hands a route a web `Request` and sends the `Response`; so does this. */
async function serveRoute(route: Record<string, unknown>) {
  const server = createServer(async (incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const body = method === 'GET' ? undefined : Buffer.concat(await incoming.toArray());
    const request = new Request(`http://${headers.host}${url}`, {
      ...{ method, headers: Object.entries(headers).map(([name, value]) => [name, String(value)]) },
      ...(body && { body }),
    });
    const handle = route[method];
    const response: unknown = typeof handle === 'function' ? await handle(request) : undefined;
    if (!(response instanceof Response)) throw new Error(`${method} answered no Response`);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(await response.text());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/api/publish`, close: () => server.close() };
}

/** The route keeps its publisher for as long as its process runs, which here is that of the tests. */
async function closePublisher(): Promise<void> {
  const { publisher } = globalThis as { publisher?: { close(): Promise<void> } };
  await publisher?.close();
}

describe('the Next.js route', () => {
  it('publishes what it is sent, once', async () => {
    const env = freshEnvironment();
    const { simulatorUrl } = await startTerminals(env);
    for (const [name, value] of Object.entries({ ...env, ...HOSTILE_APP, VIDEO_FOLDER: folder }))
      vi.stubEnv(name, value);
    const route: Record<string, unknown> = await import(pathOf(NEXT_ROUTE));
    const server = await serveRoute(route);
    try {
      expect(route.runtime).toBe('nodejs');
      await expectToPublish(server.url, (id) => `${server.url}?id=${id}`, simulatorUrl);
      const broken = await fetch(server.url, { method: 'POST', body: '{"account":' });
      expect(broken.status).toBe(400);
    } finally {
      server.close();
      vi.unstubAllEnvs();
      await closePublisher();
    }
  });

  it('has the types of the library', async () => {
    const flags = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'NodeNext',
      '--types',
      'node',
    ];
    const tsc = pathOf('node_modules/typescript/bin/tsc');
    const checked = run(process.execPath, [tsc, ...flags, pathOf(NEXT_ROUTE)], { cwd: dirname(tsc) });
    await expect(checked.catch(({ stdout }: { stdout: string }) => ({ stdout }))).resolves.toMatchObject({
      stdout: '',
    });
  });
});

const HEADER = 'key,account,file,title,privacy,at';

async function writeCsv(...lines: readonly string[]): Promise<string> {
  const path = join(folder, 'posts.csv');
  await writeFile(path, [HEADER, ...lines, ''].join('\n'));
  return path;
}

describe('the CSV script', () => {
  const good = () => [
    `k-1,simulated,${basename(video)},"Hello, with a comma",SELF_ONLY,`,
    `k-2,simulated,${basename(video)},,,`,
    `k-3,simulated,${basename(video)},"two\nlines",SELF_ONLY,2099-01-01T10:00:00Z`,
  ];

  it('enqueues every line once, however often it runs', async () => {
    const env = freshEnvironment();
    const csv = await writeCsv(...good());
    const first = await runExample('enqueue-csv.mjs', [csv], env);
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    const lines = first.stdout.trim().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(/^line 2: [\w-]+ queued$/),
      expect.stringMatching(/^line 3: [\w-]+ queued$/),
      expect.stringMatching(/^line 5: [\w-]+ scheduled$/),
    ]);
    const second = await runExample('enqueue-csv.mjs', [csv], env);
    expect(second.exitCode).toBe(0);
    expect(second.stdout.trim().split('\n')).toEqual(
      lines.map((line) => line.replace(/(queued|scheduled)$/, 'was enqueued before')),
    );
  });

  it('tells the number of each bad line and enqueues nothing, unless told to skip them', async () => {
    const env = freshEnvironment();
    const bad = [
      `k-4,simulated,${basename(video)},Hello,EVERYBODY,tomorrow`,
      `k-5,an account,${basename(video)},Hello,SELF_ONLY,`,
    ];
    const csv = await writeCsv(...good(), ...bad);
    const refused = await runExample('enqueue-csv.mjs', [csv], env);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^line 6: post\.privacyLevel: expected one of/m);
    expect(refused.stderr).toMatch(/^line 6: scheduledAt: expected an ISO 8601 time/m);
    expect(refused.stderr).toMatch(/^line 7: account: /m);
    expect(refused.stderr).toContain('Nothing was enqueued.');
    const skipping = await runExample('enqueue-csv.mjs', [csv, '--skip-bad'], env);
    expect(skipping.exitCode).toBe(1);
    expect(skipping.stdout.trim().split('\n')).toHaveLength(3);
  });

  it('sees what the file itself has wrong', async () => {
    const csv = await writeCsv(
      `,simulated,${basename(video)},Hello,SELF_ONLY,`,
      'k-2,simulated,gone.mp4,Hello,SELF_ONLY,',
      `k-3,simulated,${basename(video)},Hello,SELF_ONLY,`,
      `k-3,simulated,${basename(video)},Hello again,SELF_ONLY,`,
      'k-5,simulated',
    );
    const refused = await runExample('enqueue-csv.mjs', [csv], freshEnvironment());
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    for (const line of [2, 3, 5, 6]) expect(refused.stderr).toMatch(new RegExp(`^line ${line}: `, 'm'));
    expect(refused.stderr).not.toMatch(/^line 4: /m);
  });

  it('tells which key stands for another post already', async () => {
    const env = freshEnvironment();
    const line = (key: string, title: string) => `${key},simulated,${basename(video)},${title},SELF_ONLY,`;
    await runExample('enqueue-csv.mjs', [await writeCsv(line('k-2', 'before'))], env);
    const csv = await writeCsv(line('k-1', 'one'), line('k-2', 'changed'), line('k-3', 'three'));
    const again = await runExample('enqueue-csv.mjs', [csv], env);
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toBe('line 3: key: k-2 was used for another post before\n');
    expect(again.stdout).toMatch(/^line 2: .*\nline 4: .*\n$/);
  });

  it.each([
    [[], ''],
    [['gone.csv'], 'there is no gone.csv\n'],
    [['gone.csv', '--skipbad'], "Unknown option '--skipbad'"],
  ])('says how it is used when it gets %j', async (args, why) => {
    const { exitCode, stderr } = await runExample('enqueue-csv.mjs', args, {});
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(why) });
    expect(stderr).toMatch(/^usage: node enqueue-csv\.mjs <file\.csv> \[--skip-bad\]\n$/m);
    expect(stderr).not.toContain('    at ');
  });
});

const hasPython = spawnSync('python3', ['--version']).status === 0;

describe('the Python script', () => {
  it.skipIf(!hasPython)('says how it is used when it gets too little', async () => {
    expect(await runExample('enqueue.py', ['video.mp4'], {})).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'usage: python3 enqueue.py <video> <account> <idempotency-key>\n',
    });
  });

  it.skipIf(!hasPython)('publishes over REST and waits (skipped where there is no python3)', async () => {
    const env = { ...freshEnvironment(), MEDIA_ROOTS: folder };
    const { simulatorUrl, serviceUrl } = await startTerminals(env);
    const settings = { PUBLISHER_URL: serviceUrl, POLL_SECONDS: '0.1' };
    const first = await runExample('enqueue.py', [video, 'simulated', 'post-1'], settings);
    expect(first).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringMatching(/^[\w-]+ published/) });
    expect(await runExample('enqueue.py', [video, 'simulated', 'post-1'], settings)).toEqual(first);
    const [post, ...others] = await postsOf(simulatorUrl);
    expect(others).toEqual([]);
    expect(post).toMatchObject({ title: 'Hello from Python', sha256: await sha256OfFile(video) });
    const refused = await runExample('enqueue.py', ['/etc/hostname', 'simulated', 'post-2'], settings);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('INPUT_MEDIA_OUTSIDE_ROOTS');
  });
});
