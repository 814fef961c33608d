import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import type { PublishRequest } from '../../../src/core/publish-request.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { startSimulator } from '../../../src/simulator/index.ts';
import { firstLine } from '../../support/first-line.ts';
import { makeVideo, sha256OfFile } from '../../support/videos.ts';
import { freshEnvironment } from '../cli/command.ts';
import { HOSTILE_APP } from '../readme/example-process.ts';

const EXAMPLE = 'examples/workers-with-own-tokens.mjs';
const pathOf = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

let folder: string;
let video: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-own-tokens-'));
  video = await makeVideo(folder, 1_000_000);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Workers read from S3, so the app's own settings for it count unless there are prefixed ones. */
const PREFIXED = { TIKTOK_PUBLISHER_S3_ENDPOINT: 'https://s3.example', TIKTOK_PUBLISHER_S3_FORCE_PATH_STYLE: 'true' };

/** The example as another app's worker process, whose customer is `acme`, and a producer beside it. */
async function startApp() {
  const simulator = await startSimulator({ processingMs: 100 });
  onTestFinished(() => simulator.close());
  const { openId, accessToken, refreshToken, expiresIn } = simulator.addAccount();
  const env = freshEnvironment({
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: simulator.clientSecret,
  });
  const home = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' };
  const app = spawn(process.execPath, [pathOf(EXAMPLE)], {
    env: { ...home, ...env, ...HOSTILE_APP, ...PREFIXED },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(app, 'exit');
  onTestFinished(() => void app.kill('SIGKILL'));
  const expiresAt = Date.now() + expiresIn * 1_000;
  app.stdin.end(JSON.stringify([['acme', { accessToken, refreshToken, expiresAt }]]));
  await firstLine(app);
  const { REDIS_URL: url = '', QUEUE_PREFIX: queuePrefix = '' } = env;
  const target = { kind: 'url', url } as const;
  const publisher = createPublisherFromConfig({
    redis: target,
    dataDir: '',
    cacheDir: '',
    queuePrefix,
  });
  onTestFinished(() => publisher.close());
  const publish = async (account: string) => {
    const media: PublishRequest['media'] = { type: 'file', path: video };
    const { id } = await publisher.enqueue({ account, mode: 'direct', media, post: { privacyLevel: 'SELF_ONLY' } });
    return await publisher.waitForCompletion(id, { timeoutMs: 90_000 });
  };
  const stop = async () => {
    app.kill('SIGTERM');
    const [exitCode] = await ended;
    return exitCode;
  };
  return { simulator, openId, publish, stop, env, accessToken, refreshToken, target, keys: createKeys(queuePrefix) };
}

it('an app that stores its tokens itself publishes with the workers of the package, also when TikTok refuses a token', async () => {
  const { simulator, openId, publish, stop, ...app } = await startApp();
  expect(await publish('acme')).toMatchObject({ state: 'published' });
  expect(simulator.journal.requests({ endpoint: 'token' })).toEqual([]);
  simulator.expireAccessToken(openId);
  expect(await publish('acme')).toMatchObject({ state: 'published', attempts: 0 });
  const asked = simulator.journal.entries.filter(
    ({ httpStatus, endpoint }) => httpStatus === 401 || endpoint === 'token',
  );
  expect(asked.map(({ endpoint, httpStatus }) => [endpoint, httpStatus])).toEqual([
    [expect.any(String), 401],
    ['token', 200],
  ]);
  expect(simulator.journal.posts().map(({ sha256 }) => sha256)).toEqual(Array(2).fill(await sha256OfFile(video)));
  expect(await publish('nobody')).toMatchObject({ state: 'failed', failure: { code: 'INPUT_ACCOUNT_UNKNOWN' } });
  const redis = await connectRedis(app.target, 'ledger');
  onTestFinished(() => closeRedis(redis));
  // The vault was not used, nor anything stored in it.
  expect(await redis.exists(app.keys.accounts, app.keys.account('acme'))).toBe(0);
  expect(await stop()).toBe(0);
});

it('docs/accounts.md shows the example as it is', async () => {
  const page = await readFile(pathOf('docs/accounts.md'), 'utf8');
  expect(page).toContain(`\`\`\`js\n${await readFile(pathOf(EXAMPLE), 'utf8')}\`\`\``);
});
