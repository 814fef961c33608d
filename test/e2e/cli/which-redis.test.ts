import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { eventually } from '../../support/eventually.ts';
import { makeVideo } from '../../support/videos.ts';
import {
  addAccount,
  answerOf,
  endCommands,
  type RunningCommand,
  runCommand,
  startCommand,
  startTikTok,
} from './command.ts';

const redisRecord = z.object({ port: z.int(), pid: z.int() });
const DATA_FOLDER = '.tiktok-publisher';

/** Where the service is, and another folder. */
let here: string;
let there: string;

beforeEach(async () => {
  here = await realpath(await mkdtemp(join(tmpdir(), 'which-redis-here-')));
  there = await realpath(await mkdtemp(join(tmpdir(), 'which-redis-there-')));
});
afterEach(async () => {
  await endCommands();
  // A Redis whose owner was killed still writes its last bytes.
  await eventually(() => rm(here, { recursive: true, force: true }));
  await rm(there, { recursive: true, force: true });
});

/** Starts the service, as its folder has it. */
async function startService(env: Record<string, string> = {}): Promise<RunningCommand> {
  const service = startCommand(['start', '--json'], { PORT: '0', ...env }, '', here);
  await service.document();
  return service;
}

/** As a process, for which the data folder is in its current one. */
const run = (cwd: string, ...args: string[]) => runCommand(args, {}, '', cwd);
const dataOf = (folder: string) => ({ DATA_DIR: join(folder, DATA_FOLDER) });
const answerAt = (folder: string, ...args: string[]) => answerOf(args, dataOf(folder));
const runningRedis = async () =>
  redisRecord.parse(JSON.parse(await readFile(join(here, DATA_FOLDER, 'redis.json'), 'utf8')));

describe('a command beside a running service', () => {
  it('says which Redis it asks, and in another folder names the folder of the service', async () => {
    const service = await startService();
    const { port } = await runningRedis();
    const listed = await run(here, 'list');
    expect(listed).toMatchObject({ exitCode: 0, stdout: 'No jobs.\n' });
    expect(listed.stderr).toBe(`Redis: redis://127.0.0.1:${port} (DATA_DIR=${here}/${DATA_FOLDER})\n`);
    expect(await answerAt(here, 'list', '--json')).toMatchObject({ exitCode: 0, stderr: '' });

    const lost = await run(there, 'list');
    expect(lost).toMatchObject({ exitCode: 3, stdout: '' });
    expect(lost.stderr).toContain(`no service is running in ${there}/${DATA_FOLDER} (DATA_DIR)`);
    expect(lost.stderr).toMatch(new RegExp(`is running in .*${here}/${DATA_FOLDER}`));
    expect(await readdir(there)).toEqual([]);

    service.kill('SIGTERM');
    await service.ended;
    expect((await answerAt(there, 'list')).stderr).not.toContain(here);
  });

  it('says after the service was killed how to start it, and leaves no Redis behind', async () => {
    const service = await startService();
    const { pid } = await runningRedis();
    service.kill('SIGKILL');
    await service.ended;
    const { exitCode, stderr } = await answerAt(here, 'list');
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`no service is running in ${here}/${DATA_FOLDER}`);
    expect(stderr).toContain('tiktok-publisher start');
    await eventually(() => isGone(pid));
    expect((await runningRedis()).pid).toBe(pid);
  });
});

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

/** How each of these is called where no service runs. */
const WITHOUT_SERVICE: Readonly<Record<string, readonly string[]>> = {
  publish: ['video.mp4', '--account', 'acme', '--privacy', 'SELF_ONLY'],
  status: ['id'],
  list: [],
  counts: [],
  watch: ['id'],
  cancel: ['id'],
  update: ['id', '--now'],
  retry: ['id'],
  'operations retry': ['--state', 'failed'],
  'operations cancel': ['--state', 'queued'],
  'operations reschedule': ['--state', 'scheduled', '--shift', '1h'],
  'operations list': [],
  'operations show': ['id'],
  'operations abort': ['id'],
  'accounts list': [],
  'accounts connect': ['acme'],
  'accounts pause': ['acme'],
  'accounts resume': ['acme'],
  'accounts remove': ['acme'],
  'accounts rekey': [],
  'callbacks list': [],
  'callbacks replay': ['--failed'],
  'callbacks resume': ['https://example.com'],
  'callbacks secret': [],
  'subscriptions create': ['https://example.com/events'],
  'subscriptions list': [],
  'subscriptions test': ['id'],
  'subscriptions delete': ['id'],
  'keys create': ['shop', '--scope', 'read'],
  'keys list': [],
  'keys revoke': ['id'],
  audit: [],
  pause: ['--reason', 'a test'],
  paused: [],
  resume: [],
  'ledger accept': [],
  doctor: [],
};
/** They start a Redis, or need none. */
const STARTERS = ['demo', 'start', 'worker', 'server', 'bench', 'accounts add', 'simulator', 'conformance'];

function namesOf(command: Command): string[] {
  return command.commands.flatMap((child) =>
    child.commands.length === 0 ? child.name() : namesOf(child).map((name) => `${child.name()} ${name}`),
  );
}

describe('without a service', () => {
  it('every command but those that docs/configuration.md lists starts none', () => {
    const all = namesOf(buildProgram(new Command(), async () => undefined));
    expect([...Object.keys(WITHOUT_SERVICE), ...STARTERS].sort()).toEqual(all.sort());
  });

  it.each(Object.entries(WITHOUT_SERVICE))('%s says so, and makes no folder of its own', async (name, args) => {
    const video = await makeVideo(here, 100_000);
    const env = {
      DATA_DIR: join(there, DATA_FOLDER),
      TIKTOK_CLIENT_KEY: 'key',
      TIKTOK_CLIENT_SECRET: 'secret',
      PUBLIC_BASE_URL: 'http://127.0.0.1:3000',
    };
    const typed = args.map((arg) => (arg === 'video.mp4' ? video : arg));
    const { exitCode, stdout, stderr } = await answerOf([...name.split(' '), ...typed], env);
    expect(exitCode).toBe(3);
    expect(stdout + stderr).toContain(`no service is running in ${there}/${DATA_FOLDER} (DATA_DIR)`);
    expect(stdout + stderr).toContain('tiktok-publisher start');
    expect(await readdir(there)).toEqual([]);
  });

  it('accounts add starts one for itself and says so, and the service finds the account', async () => {
    const tokens = JSON.stringify({ accessToken: 'act.1', expiresIn: 7_200 });
    const added = await runCommand(['accounts', 'add', 'acme', '--open-id', 'o-1'], {}, tokens, here);
    expect(added.exitCode).toBe(0);
    expect(added.stderr).toContain(`(DATA_DIR=${here}/${DATA_FOLDER}), started for this command\n`);
    expect((await answerAt(here, 'accounts', 'list')).exitCode).toBe(3);
    await startService();
    expect((await answerAt(here, 'accounts', 'list')).stdout).toContain('acme');
  });

  it('the library says so, and finds the service once it runs', async () => {
    const { redis, dataDir, cacheDir, queuePrefix } = loadConfig({ DATA_DIR: join(here, DATA_FOLDER) });
    const publisher = createPublisherFromConfig({ redis, dataDir, cacheDir, queuePrefix });
    try {
      await expect(publisher.list()).rejects.toMatchObject({
        code: 'REDIS_UNAVAILABLE',
        message: expect.stringContaining(`no service is running in ${here}/${DATA_FOLDER}`),
      });
      expect((await readdir(here)).includes(DATA_FOLDER)).toBe(false);
      await startService();
      expect(await publisher.list()).toMatchObject({ jobs: [] });
    } finally {
      await publisher.close();
    }
  });
});

/** Enqueues a video of this many bytes, and returns the job's id. */
async function enqueue(bytes: number): Promise<string> {
  const options = ['--account', 'acme', '--privacy', 'SELF_ONLY', '--json'];
  const enqueued = await answerAt(here, 'publish', await makeVideo(here, bytes), ...options);
  return z.looseObject({ id: z.string() }).parse(JSON.parse(enqueued.stdout)).id;
}

describe('a restart of the service', () => {
  it('is waited out by watch and by the library, which find the same Redis again', async () => {
    const { simulator, settings } = await startTikTok();
    const service = await startService(settings);
    await addAccount(simulator, 'acme', { ...settings, ...dataOf(here) });
    await answerAt(here, 'accounts', 'pause', 'acme');
    const id = await enqueue(1_000_000);

    const watching = startCommand(['watch', id], {}, '', here);
    await watching.printed('paused');
    const { redis, dataDir, cacheDir, queuePrefix } = loadConfig({ DATA_DIR: join(here, DATA_FOLDER) });
    const publisher = createPublisherFromConfig({ redis, dataDir, cacheDir, queuePrefix });
    const waiting = publisher.waitForCompletion(id, { timeoutMs: 90_000 });
    await publisher.get(id);

    service.kill('SIGTERM');
    await service.ended;
    await watching.printed('Redis is away, waiting; the job goes on.');
    await startService(settings);
    await watching.printed('Redis is back.');
    await answerAt(here, 'accounts', 'resume', 'acme');
    expect(await watching.ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(id) });
    expect(await waiting).toMatchObject({ id, state: 'published' });
    await publisher.close();
  });
});

describe('a service that uses the Redis of another one', () => {
  it.each([
    ['start', 'SIGKILL'],
    ['worker', 'SIGTERM'],
  ] as const)('goes on with it, as `%s`, when that one ends by %s in an upload', async (command, signal) => {
    const { simulator, settings } = await startTikTok();
    simulator.faults.add({
      endpoint: 'upload',
      when: { nth: 1 },
      act: { kind: 'slow_read', bytesPerSecond: 10_000 },
    });
    const first = await startService({ ...settings, SHUTDOWN_TIMEOUT_MS: '1000' });
    await addAccount(simulator, 'acme', { ...settings, ...dataOf(here) });
    const id = await enqueue(1_000_000);
    const watching = startCommand(['watch', id], {}, '', here);
    await watching.printed('uploading');
    const { pid, port } = await runningRedis();
    const second = startCommand([command, '--json'], { ...settings, PORT: '0' }, '', here);
    await second.document();

    first.kill(signal);
    await first.ended;
    expect(await watching.ended).toMatchObject({ exitCode: 0 });
    expect(simulator.journal.posts()).toHaveLength(1);
    expect(await runningRedis()).toMatchObject({ port, pid: expect.not.toSatisfy((now) => now === pid) });
    expect(await answerAt(here, 'list')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('published') });
    expect((await answerAt(there, 'list')).stderr).toMatch(new RegExp(`one is running in .*${here}/${DATA_FOLDER}`));
    second.kill('SIGTERM');
    expect(await second.ended).toMatchObject({ exitCode: 0 });
  });
});
