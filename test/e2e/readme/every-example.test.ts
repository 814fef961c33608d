import { readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'rolldown/utils';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pathInRepository } from '../../support/build.ts';
import { makeVideo } from '../../support/videos.ts';
import { endCommands, freshEnvironment } from '../cli/command.ts';
import { EXAMPLES, endExamples, runExample, serveExample } from './example-process.ts';
import { startTerminals, type Terminals } from './terminals.ts';

let folder: string;
let video: string;
let env: Record<string, string>;
let terminals: Terminals;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-every-example-'));
  video = await makeVideo(folder, 100_000);
  const { PORT, ...shared } = freshEnvironment();
  env = shared;
  terminals = await startTerminals({ ...env, PORT: PORT ?? '0', MEDIA_ROOTS: folder });
});

afterAll(async () => {
  await endExamples();
  await endCommands();
  await rm(folder, { recursive: true, force: true });
});

const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes, say').toString('base64')}`;

/** Runs a program to its end, and expects that it says so. */
async function run(name: string, args: readonly string[], settings: Record<string, string>, says: RegExp) {
  const { exitCode, stdout, stderr } = await runExample(name, args, settings);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(says);
}

/** Sends a signed callback; answers its HTTP status. */
async function callBack(url: string): Promise<number> {
  const body = JSON.stringify({ id: 'job-1-1-1', type: 'publish.published', subject: 'job-1', data: {} });
  const at = new Date();
  const headers = {
    'content-type': 'application/json',
    'webhook-id': 'job-1-1-1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': new Webhook(SECRET).sign('job-1-1-1', at, body),
  };
  return (await fetch(url, { method: 'POST', body, headers })).status;
}

/** Node runs no TypeScript yet: the route as Next.js compiles it, in a project of its own, asked for a job. */
async function writeRouteProgram(): Promise<string> {
  const project = join(folder, 'next');
  await mkdir(join(project, 'node_modules'), { recursive: true });
  await symlink(pathInRepository('.'), join(project, 'node_modules/tiktok-publisher'));
  const source = await readFile(join(EXAMPLES, 'nextjs/app/api/publish/route.ts'), 'utf8');
  await writeFile(join(project, 'route.mjs'), transformSync('route.ts', source).code);
  const asking = `import { GET } from './route.mjs';
const response = await GET(new Request('http://127.0.0.1/api/publish?id=none'));
console.log(response.status, await response.text());
await globalThis.publisher.close();
`;
  await writeFile(join(project, 'ask.mjs'), asking);
  return join(project, 'ask.mjs');
}

/** How each example shows that it works; all of them beside the settings of a hostile app. */
const PROOFS: Readonly<Record<string, () => Promise<void>>> = {
  'enqueue.mjs': () => run('enqueue.mjs', [video], env, /^[\w-]+ published/),
  'enqueue-with-bullmq.mjs': () => run('enqueue-with-bullmq.mjs', [video], env, /^$/),
  'enqueue.py': () =>
    run('enqueue.py', [video, 'simulated', 'key-1'], { PUBLISHER_URL: terminals.serviceUrl }, /^[\w-]+ published/),
  'enqueue-csv.mjs': async () => {
    const csv = join(folder, 'posts.csv');
    await writeFile(csv, `key,account,file,title,privacy,at\nk-1,simulated,${video},Hello,SELF_ONLY,\n`);
    await run('enqueue-csv.mjs', [csv], env, /^line 2: [\w-]+ queued$/m);
  },
  'express-app.mjs': async () => {
    // HOST and PORT are its own.
    const settings = { ...env, HOST: '127.0.0.1', PORT: '0', VIDEO_FOLDER: folder, CALLBACK_SECRET: SECRET };
    const app = await serveExample('express-app.mjs', settings);
    expect((await fetch(`${app.url}/publish/none`)).status).toBe(404);
    expect(await callBack(`${app.url}/callbacks`)).toBe(204);
    expect((await app.stop()).exitCode).toBe(0);
  },
  'receive-callbacks.mjs': async () => {
    const settings = { CALLBACK_PORT: '0', CALLBACK_SECRETS: SECRET };
    const receiver = await serveExample('receive-callbacks.mjs', settings, { says: /receiving at (\S+)/ });
    expect(await callBack(receiver.url)).toBe(204);
    expect(receiver.stdout()).toContain('verified publish.published job-1');
    await receiver.stop();
  },
  'workers-with-own-tokens.mjs': async () => {
    // Workers read from S3, too: without a prefix the app's own settings for it would count.
    const s3 = { TIKTOK_PUBLISHER_S3_ENDPOINT: 'https://s3.example', TIKTOK_PUBLISHER_S3_FORCE_PATH_STYLE: 'true' };
    const settings = { ...freshEnvironment(), ...s3, TIKTOK_API_BASE_URL: terminals.simulatorUrl };
    const workers = await serveExample('workers-with-own-tokens.mjs', settings, { says: /(Workers run)/, stdin: '[]' });
    expect(await workers.stop()).toMatchObject({ exitCode: 0 });
  },
  'nextjs/app/api/publish/route.ts': async () =>
    run(await writeRouteProgram(), [], { ...env, VIDEO_FOLDER: folder }, /^404 .*JOB_NOT_FOUND/),
};

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(directory, name)).isFile(),
  );
}

describe('in the process of an app whose settings have the names of ours', () => {
  it('every example is tried', () => {
    expect(filesIn(EXAMPLES).sort()).toEqual(Object.keys(PROOFS).sort());
  });

  it.each(Object.keys(PROOFS))('%s works', async (name) => {
    await PROOFS[name]?.();
  });
});
