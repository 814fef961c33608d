import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startRedisServer } from '../../support/redis-server.ts';
import { makeVideo, sha256OfFile } from '../../support/videos.ts';
import { answerOf, endCommands, freshEnvironment, type RunningCommand, runCommand, startCommand } from './command.ts';

const tokensSchema = z.looseObject({ openId: z.string(), accessToken: z.string(), refreshToken: z.string() });
const simulatorDocument = z.object({
  url: z.string(),
  clientKey: z.string(),
  clientSecret: z.string(),
  account: tokensSchema,
});
const addressSchema = z.looseObject({ port: z.number() });
const jobDocument = z.looseObject({ id: z.string(), state: z.string(), postIds: z.array(z.string()) });
const parseJob = (text: string) => jobDocument.parse(JSON.parse(text));

let env: Record<string, string>;
let simulator: RunningCommand;
let service: RunningCommand;
let simulated: z.infer<typeof simulatorDocument>;
let webUrl: string;
let folder: string;
/** Of three chunks, and a small one for what is not about bytes. */
let largeVideo: string;
let video: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-cli-'));
  largeVideo = await makeVideo(folder, 21_000_000);
  video = await makeVideo(folder, 100_000);
  simulator = startCommand(['simulator', '--json', '--processing-ms', '100'], {});
  simulated = simulatorDocument.parse(await simulator.document());
  env = freshEnvironment({
    TIKTOK_API_BASE_URL: simulated.url,
    TIKTOK_CLIENT_KEY: simulated.clientKey,
    TIKTOK_CLIENT_SECRET: simulated.clientSecret,
  });
  service = startCommand(['start', '--json'], env);
  webUrl = z.object({ url: z.string() }).parse(await service.document()).url;
  const { accessToken } = simulated.account;
  const added = await answerOf(...addition('acme', simulated.account));
  expect(added).toMatchObject({ exitCode: 0, stderr: '' });
  expect(added.stdout).not.toContain(accessToken);
});

afterAll(async () => {
  await endCommands();
  await rm(folder, { recursive: true, force: true });
});

type Tokens = z.infer<typeof tokensSchema>;
function addition(account: string, { openId, accessToken, refreshToken }: Tokens) {
  const args = ['accounts', 'add', account, '--open-id', openId, '--json'];
  return [args, env, JSON.stringify({ accessToken, refreshToken, expiresIn: 7_200 })] as const;
}

/** Another account, whose posts of a minute are its own. */
async function addAccount(account: string): Promise<Tokens> {
  const tokens = tokensSchema.parse(await atSimulator('accounts', {}));
  expect(await answerOf(...addition(account, tokens))).toMatchObject({ exitCode: 0 });
  return tokens;
}

const publishFile = (path: string, account: string, ...more: string[]) => [
  'publish',
  path,
  ...['--account', account, '--privacy', 'SELF_ONLY'],
  ...more,
];
const publishOn = (account: string, ...more: string[]) => publishFile(video, account, ...more);
const publish = (...more: string[]) => publishOn('acme', ...more);

async function atSimulator(path: string, body?: unknown): Promise<unknown> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  return await (await fetch(`${simulated.url}/__simulator/${path}`, init)).json();
}

describe('publishing from the command line', () => {
  it('waits for the post, byte for byte, and shows the job afterwards', async () => {
    const options = ['--wait', '--json', '--title', 'one', '--idempotency-key', 'order-1'];
    const waited = await runCommand(publishFile(largeVideo, 'acme', ...options), env);
    expect(waited.exitCode).toBe(0);
    const job = parseJob(waited.stdout);
    expect(waited.stderr).toBe(`job ${job.id}\n`);
    expect(job.state).toBe('published');
    expect(JSON.stringify(await atSimulator('publishes'))).toContain(await sha256OfFile(largeVideo));

    const status = await answerOf(['status', job.id, '--json'], env);
    expect(parseJob(status.stdout)).toMatchObject({ id: job.id, state: 'published', account: 'acme' });
    const list = await answerOf(['list', '--account', 'acme', '--json'], env);
    const { jobs } = z.looseObject({ jobs: z.array(jobDocument) }).parse(JSON.parse(list.stdout));
    expect(jobs.map(({ id }) => id)).toContain(job.id);
    expect((await answerOf(['status', job.id], env)).stdout).toContain('all accepted');
    expect((await answerOf(['list'], env)).stdout).toMatch(
      new RegExp(`^${job.id} .* one · .*\\.mp4 · SELF_ONLY$`, 'm'),
    );
    const byKey = await answerOf(['status', 'order-1', '--json'], env);
    expect(JSON.parse(byKey.stdout)).toMatchObject({
      id: job.id,
      idempotencyKey: 'order-1',
      request: { account: 'acme' },
    });
  });

  it('takes the idempotency key of a job wherever it takes its id', async () => {
    const later = publish('--json', '--title', 'later', '--at', '+2d', '--idempotency-key', 'order-2');
    const { id } = parseJob((await answerOf(later, env)).stdout);
    const changed = await answerOf(['update', 'order-2', '--title', 'still later', '--json'], env);
    expect(parseJob(changed.stdout)).toMatchObject({ id, request: { post: { title: 'still later' } } });
    const cancelled = await answerOf(['cancel', 'order-2', '--json'], env);
    expect(parseJob(cancelled.stdout)).toMatchObject({ id, state: 'cancelled' });
    expect((await answerOf(['watch', 'order-2'], env)).stdout).toContain(`job ${id}`);
    for (const command of ['watch', 'cancel', 'retry']) {
      const unknown = await answerOf([command, 'order-9'], env);
      expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('id or idempotency key order-9') });
    }
  });

  it('returns at once without --wait, and another process watches to the end', async () => {
    const enqueued = await answerOf(publish('--json', '--title', 'two'), env);
    expect(enqueued.exitCode).toBe(0);
    const { id } = parseJob(enqueued.stdout);
    const watched = await runCommand(['watch', id, '--json'], env);
    expect(watched.exitCode).toBe(0);
    const states = watched.stdout
      .trimEnd()
      .split('\n')
      .map((line) => parseJob(line).state);
    expect(states.at(-1)).toBe('published');
    expect((await answerOf(['watch', id], env)).stdout).toMatch(/^published/);
  });

  it('leaves a draft in the inbox, which needs no privacy level', async () => {
    const drafted = await answerOf(['publish', video, '--account', 'acme', '--mode', 'inbox', '--wait'], env);
    expect(drafted).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("delivered to the creator's inbox") });
  });

  it('lets TikTok fetch a video from a URL', async () => {
    const origin = createServer((_request, response) => void createReadStream(video).pipe(response));
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
    const { port } = addressSchema.parse(origin.address());
    const url = `http://127.0.0.1:${port}/video.mp4`;
    const pulled = await answerOf(
      ['publish', url, '--pull', '--account', 'acme', '--privacy', 'SELF_ONLY', '--wait', '--json'],
      env,
    );
    origin.close();
    expect(pulled.exitCode).toBe(0);
    expect(parseJob(pulled.stdout).state).toBe('published');
  });

  it('shows plain lines where there is no terminal', async () => {
    const watched = await runCommand(publish('--watch', '--title', 'three'), env);
    expect(watched.exitCode).toBe(0);
    expect(watched.stderr).toMatch(/^job [0-9a-f-]+$/m);
    expect(watched.stderr).toMatch(/^processing: /m);
    expect(watched.stderr).not.toContain('\u001b');
    expect(watched.stdout).toMatch(/^published/);
  });

  it('gives the same job for the same idempotency key, and refuses the key for another request', async () => {
    const keyed = (title: string) => answerOf(publish('--json', '--idempotency-key', 'k1', '--title', title), env);
    const first = parseJob((await keyed('four')).stdout);
    const again = await keyed('four');
    expect(again.exitCode).toBe(0);
    expect(parseJob(again.stdout)).toMatchObject({ id: first.id, created: false });
    const conflict = await keyed('five');
    expect(conflict.exitCode).toBe(2);
    expect(JSON.parse(conflict.stdout)).toMatchObject({ error: { code: 'IDEMPOTENCY_CONFLICT' } });
  });

  it('exits with 1 when the publish fails, and says why and what to do', async () => {
    const { openId } = await addAccount('unaudited');
    await atSimulator('faults', {
      endpoint: 'video_init',
      when: { openId },
      act: { kind: 'status', httpStatus: 403, code: 'unaudited_client_can_only_post_to_private_accounts' },
    });
    const failed = await runCommand(publishOn('unaudited', '--wait', '--title', 'six'), env);
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toContain('failed: ');
    expect(failed.stdout).toContain('TIKTOK_UNAUDITED_CLIENT');
    expect(failed.stdout).toContain('fix');
  });

  it('refuses an account that is not connected, and says how to connect it', async () => {
    const refused = await answerOf(['publish', video, '--account', 'nobody', '--privacy', 'SELF_ONLY'], env);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('nobody');
    expect(refused.stderr).toContain('accounts add');
  });

  it('says of an unknown job that there is none', async () => {
    for (const command of ['status', 'watch']) {
      const unknown = await answerOf([command, 'no-such-job', '--json'], env);
      expect(unknown.exitCode).toBe(2);
      expect(JSON.parse(unknown.stdout)).toMatchObject({ error: { code: 'JOB_NOT_FOUND' } });
    }
  });

  it.each([
    ['--watch', '2098-01-01'],
    ['--wait', '2099-01-01'],
  ])('stops %s on Ctrl-C with 130, and the job goes on', async (how, day) => {
    const waiting = startCommand(publish(how, '--at', `${day}T00:00:00Z`), env);
    await waiting.printed(/^job .* starts at/m);
    waiting.kill('SIGINT');
    const { exitCode, stderr } = await waiting.ended;
    expect(exitCode).toBe(130);
    expect(stderr).toContain('The job continues. To watch it again: tiktok-publisher watch');
    const { stdout } = await answerOf(['list', '--state', 'scheduled', '--json'], env);
    expect(stdout).toContain(`${day}T00:00`);
  });

  it('changes what has not begun, and names options that are wrong', async () => {
    const enqueued = await answerOf(publish('--at', '2096-01-01T00:00:00Z', '--json'), env);
    const { id } = parseJob(enqueued.stdout);
    const updated = await answerOf(
      ['update', id, '--at', '2096-02-01T10:00:00Z', '--title', 'Later', '--post', '{"disableDuet":true}'],
      env,
    );
    expect(updated).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^scheduled for 2096-02-01 10:00:00Z, which is /),
    });
    const { stdout } = await answerOf(['status', id], env);
    expect(stdout).toContain('updated scheduledAt=2096-02-01T10:00:00Z post=["title","disableDuet"]');
    for (const [args, text] of [
      [['--at', '2020-01-01T00:00:00Z'], '--at: expected a time'],
      [['--privacy', 'friends'], '--privacy: expected one of'],
      [['--now', '--at', '+2h'], '--now'],
      [[], 'expected what to change'],
    ] as const) {
      expect(await answerOf(['update', id, ...args], env)).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining(text),
      });
    }
    expect((await answerOf(['cancel', id], env)).exitCode).toBe(0);
  });

  it('cancels what has not begun, and says so again when asked again', async () => {
    const enqueued = await answerOf(publish('--at', '2097-01-01T00:00:00Z', '--json'), env);
    const { id } = parseJob(enqueued.stdout);
    const cancelled = await answerOf(['cancel', id, '--json'], env);
    expect(cancelled.exitCode).toBe(0);
    expect(parseJob(cancelled.stdout).state).toBe('cancelled');
    expect(await answerOf(['cancel', id], env)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^cancelled/),
    });
  });

  it('retries what failed, and refuses to retry what is published', async () => {
    const { openId } = await addAccount('late');
    await atSimulator('faults', {
      endpoint: 'video_init',
      when: { openId },
      act: { kind: 'status', httpStatus: 403, code: 'unaudited_client_can_only_post_to_private_accounts' },
    });
    const failed = await answerOf(publishOn('late', '--wait', '--json', '--title', 'seven'), env);
    expect(failed.exitCode).toBe(1);
    const { id } = parseJob(failed.stdout);
    const retried = await answerOf(['retry', id, '--json'], env);
    expect(retried.exitCode).toBe(0);
    expect(JSON.parse(retried.stdout)).toMatchObject({ id, action: 'fresh_init' });
    expect((await answerOf(['watch', id], env)).exitCode).toBe(0);
    const refused = await answerOf(['retry', id, '--json'], env);
    expect(refused.exitCode).toBe(2);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'JOB_NOT_RETRYABLE' } });
    const tooLate = await answerOf(['cancel', id, '--json'], env);
    expect(tooLate.exitCode).toBe(2);
    expect(JSON.parse(tooLate.stdout)).toMatchObject({ error: { code: 'JOB_NOT_CANCELLABLE' } });
  });

  it('lists and forgets accounts', async () => {
    const tokens = JSON.stringify({ accessToken: 'act.example' });
    expect((await answerOf(['accounts', 'add', 'other', '--open-id', 'o-2'], env, tokens)).exitCode).toBe(0);
    expect((await answerOf(['accounts', 'list'], env)).stdout).toMatch(/^other +o-2 +active/m);
    expect((await answerOf(['accounts', 'remove', 'other'], env)).exitCode).toBe(0);
    const { stdout } = await answerOf(['accounts', 'list', '--json'], env);
    expect(stdout).not.toContain('o-2');
    expect(JSON.parse(stdout)).toMatchObject({
      accounts: [{ account: 'acme' }, { account: 'unaudited' }, { account: 'late' }],
    });
    expect((await answerOf(['accounts', 'remove', 'other'], env)).exitCode).toBe(2);
  });
});

describe('the service', () => {
  it('says that it is ready, and counts what it published', async () => {
    expect((await fetch(`${webUrl}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${webUrl}/metrics`)).text()).toContain(
      'tiktok_publish_jobs_total{mode="direct",source="file",outcome="published"}',
    );
    expect((await fetch(`${webUrl}/board`)).status).toBe(200);
  });

  it('refuses a port that is taken with 3', async () => {
    const { port } = new URL(webUrl);
    const refused = await runCommand(['server', '--json'], { ...env, PORT: port });
    expect(refused.exitCode).toBe(3);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'CONFIG_PORT_TAKEN' } });
    expect((await runCommand(['simulator', '--port', port], {})).exitCode).toBe(3);
  });

  it('runs as separate workers and web server, too', async () => {
    const workers = startCommand(['worker', '--only', 'upload', '--json'], env);
    expect(await workers.document()).toEqual({ workers: ['upload'] });
    const server = startCommand(['server', '--json'], env);
    const { url } = z.object({ url: z.string() }).parse(await server.document());
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready', checks: { redis: { ok: true } } });
    for (const process of [workers, server]) {
      process.kill('SIGTERM');
      expect((await process.ended).exitCode).toBe(0);
    }
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('drains and ends with 0 on %s', async (signal) => {
    const another = startCommand(['start'], env);
    await another.printed('Publishing.');
    another.kill(signal);
    const { exitCode, stderr } = await another.ended;
    expect(stderr).toContain('"msg":"stopped"');
    expect(exitCode).toBe(0);
  });

  it('ends in time although Redis is gone', async () => {
    const redis = await startRedisServer([]);
    const REDIS_URL = `redis://127.0.0.1:${redis.port}`;
    const orphan = startCommand(['start', '--json'], { ...env, REDIS_URL, SHUTDOWN_TIMEOUT_MS: '500' });
    await orphan.document();
    await redis.close();
    await orphan.printed('redis connection lost');
    orphan.kill('SIGTERM');
    const { exitCode, stderr } = await orphan.ended;
    expect(stderr).toContain('"msg":"stopped');
    expect(exitCode).toBe(0);
  });
});
