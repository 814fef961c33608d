import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runCli } from '../../../src/cli/run-cli.ts';
import { PICTURES } from '../../support/photos.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';
import { makeVideo } from '../../support/videos.ts';
import { capturedIo } from '../../unit/cli/captured-io.ts';

it('publish says for each file, object and URL who sends it to TikTok', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'publish-media-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const photo = join(folder, '1.jpg');
  await writeFile(photo, PICTURES.jpeg);
  const video = await makeVideo(folder, 1_000);
  const env = {
    REDIS_URL: testRedisUrl(),
    QUEUE_PREFIX: freshPrefix(),
    ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
  };
  const tokens = capturedIo({ env, stdin: JSON.stringify({ accessToken: 'act.example' }) });
  expect(await runCli(['accounts', 'add', 'acme', '--open-id', 'open-id'], tokens)).toBe(0);
  const mediaOf = async (...args: string[]) => {
    const io = capturedIo({ env });
    const exitCode = await runCli(['publish', ...args, '--account', 'acme', '--mode', 'inbox', '--json'], io);
    const { stdout, stderr } = io.printed();
    expect(exitCode, stdout + stderr).toBe(0);
    return (JSON.parse(stdout) as { request: { media: unknown } }).request.media;
  };
  const url = 'https://media.example.com/a.jpg';
  expect(await mediaOf('--photos', url, url)).toEqual({ type: 'photos', urls: [url, url] });
  expect(await mediaOf('--photos', photo, url, 's3://photos/b.webp', '--cover', '2')).toEqual({
    type: 'photos',
    items: [
      { type: 'file', path: photo },
      { type: 'pull', url },
      { type: 's3', bucket: 'photos', key: 'b.webp' },
    ],
    coverIndex: 2,
  });
  expect(await mediaOf('--pull', url)).toEqual({ type: 'pull', url });
  expect(await mediaOf('--pull', video, '--fallback-upload')).toEqual({
    ...{ type: 'file', path: video },
    ...{ via: 'pull', fallback: 'upload' },
  });
  expect(await mediaOf('--pull', 's3://videos/a.mp4')).toEqual({
    type: 's3',
    bucket: 'videos',
    key: 'a.mp4',
    via: 'pull',
  });
});
