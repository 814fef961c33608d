import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { makeVideo, sha256OfFile } from '../../support/videos.ts';
import { answerOf, endCommands, freshEnvironment } from '../cli/command.ts';
import { HOSTILE_APP } from './example-process.ts';
import { postsOf, startTerminals } from './terminals.ts';

const run = promisify(execFile);
const pathOf = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

let folder: string;
let video: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-readme-'));
  video = await makeVideo(folder, 1_000_000);
});

afterEach(async () => {
  await endCommands();
  await rm(folder, { recursive: true, force: true });
});

/** An example that did its work and does not end has failed, too (ms). */
const EXAMPLE_TIMEOUT_MS = 30_000;

/** Runs an example as a hostile app's process would. */
async function runExample(name: string, { PORT: _, ...env }: Record<string, string>): Promise<string> {
  const home = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' };
  const options = { env: { ...home, ...HOSTILE_APP, ...env }, timeout: EXAMPLE_TIMEOUT_MS };
  const { stdout } = await run(process.execPath, [pathOf(`examples/${name}`), video], options);
  return stdout;
}

/** Runs an example in a folder of its own, with nothing set. */
async function runAlone(name: string, ...args: string[]): Promise<{ status: number | null; stderr: string }> {
  const env = { PATH: process.env.PATH ?? '', HOME: folder };
  return await new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [pathOf(`examples/${name}`), ...args],
      { env, cwd: folder },
      (_, __, stderr) => resolve({ status: child.exitCode, stderr }),
    );
    child.stdin?.end();
  });
}

describe('an example without input and settings', () => {
  const EMPTY = ['enqueue-csv', 'enqueue-with-bullmq', 'receive-callbacks', 'workers-with-own-tokens'];

  it.each(EMPTY)('ends with a sentence that says what is missing: %s.mjs', async (name) => {
    const { status, stderr } = await runAlone(`${name}.mjs`);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^(usage: node .*|Set [A-Z_]+: .*)\n$/);
  });

  it.each(['enqueue', 'enqueue-csv'])('says in a line that no service runs: %s.mjs', async (name) => {
    const csv = join(folder, 'posts.csv');
    await writeFile(csv, `key,account,file,title,privacy,at\norder-1,simulated,${video},,,\n`);
    const { status, stderr } = await runAlone(`${name}.mjs`, name === 'enqueue' ? video : csv);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^no service is running in .*\n$/);
  });

  it.each(['express-app.mjs', 'nextjs/app/api/publish/route.ts'])(
    'that has no login says so in its first lines: %s',
    async (name) => {
      const [, second = ''] = (await readFile(pathOf(`examples/${name}`), 'utf8')).split('\n');
      expect(second).toMatch(/^\/\/ Left out: your users' login\./);
    },
  );
});

describe("the README's examples", () => {
  it.each(['enqueue.mjs', 'enqueue-with-bullmq.mjs'])('are in it as they are in examples/%s', async (name) => {
    const readme = await readFile(pathOf('README.md'), 'utf8');
    expect(readme).toContain(`\`\`\`js\n${await readFile(pathOf(`examples/${name}`), 'utf8')}\`\`\``);
  });

  it('enqueue from another app in the same folder, with nothing set, and never twice', async () => {
    const env = { DATA_DIR: join(folder, 'data'), PORT: '0' };
    const { simulatorUrl } = await startTerminals(env);
    const first = await runExample('enqueue.mjs', env);
    expect(first).toMatch(/^[\w-]+ published/);
    expect(await runExample('enqueue.mjs', env)).toBe(first);
    const [post, ...others] = await postsOf(simulatorUrl);
    expect(others).toEqual([]);
    expect(post).toMatchObject({ title: 'Hello from another app', sha256: await sha256OfFile(video) });
  });

  it('enqueue with plain BullMQ, without this library', async () => {
    const env = freshEnvironment();
    const { REDIS_URL = '', QUEUE_PREFIX = '' } = env;
    const { simulatorUrl } = await startTerminals(env);
    await runExample('enqueue-with-bullmq.mjs', { REDIS_URL, QUEUE_PREFIX });
    // Until a worker has taken the entry there is no such job.
    await eventually(async () => (await answerOf(['watch', 'order-5678', '--json'], env)).exitCode === 0);
    const [post, ...others] = await postsOf(simulatorUrl);
    expect(others).toEqual([]);
    expect(post).toMatchObject({ title: 'Hello from plain BullMQ', sha256: await sha256OfFile(video) });
  });
});
