import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli } from '../../../src/cli/run-cli.ts';
import { capturedIo } from './captured-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'wrong-use-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fileWith = (name: string, content: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const video = fileWith('video.mp4', Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom', 'latin1'));

async function run(args: string[], input: Parameters<typeof capturedIo>[0] = {}) {
  const io = capturedIo({ ...input, env: { REDIS_URL: 'redis://127.0.0.1:1', ENCRYPTION_KEYS: key, ...input.env } });
  const exitCode = await runCli(args, io);
  return { exitCode, ...io.printed() };
}
const key = Buffer.alloc(32, 1).toString('base64');
const direct = ['--account', 'acme', '--privacy', 'SELF_ONLY'];

describe('wrong use of the command line', () => {
  it.each([
    [['nonsense'], 'nonsense'],
    [['statuss', 'x'], 'Did you mean status?'],
    [['publish', '--account', 'acme'], 'media'],
    [['publish', video], '--account'],
    [['publish', video, ...direct, '--mode', 'both'], 'direct, inbox'],
    [['publish', video, ...direct, '--wait', '--watch'], '--wait'],
    [['publish', video, ...direct, '--priority', '-1'], 'whole number from 0'],
    [['publish', video, ...direct, '--metadata', '[]'], 'JSON object'],
    [['publish', video, ...direct, '--whatever'], '--whatever'],
    [['publish', video, '--account', 'acme'], '--privacy'],
    [['publish', video, '--account', 'acme', '--privacy', 'friends'], '--privacy: expected one of PUBLIC_TO_EVERYONE'],
    [['publish', video, ...direct, '--at', 'tomorrow'], '--at: expected an ISO 8601 time'],
    [['publish', video, ...direct, '--at', 'next week'], 'or "+2h"'],
    [['publish', 'no-such.mp4', ...direct], 'no-such.mp4'],
    [['publish', folder, ...direct], folder],
    [['publish', fileWith('empty.mp4', ''), ...direct], 'empty'],
    [['publish', fileWith('text.mp4', 'this is not a video at all'), ...direct], 'MP4'],
    [['publish', video, video, ...direct], '--photos'],
    [['publish', 'ftp://example.com/a.mp4', ...direct], 'the URL: expected an http:// or https:// URL'],
    [['publish', 's3://bucket', ...direct], 's3://bucket/key'],
    [['publish', 'http://example.com/1.jpg', '--photos', ...direct], 'https://'],
    [
      ['publish', 'https://example.com/1.jpg', '--photos', '--cover', '1', ...direct],
      '--cover: expected a number below 1',
    ],
    [['publish', 'http://example.com/a.mp4', ...direct, '--pull'], 'https://'],
    [['publish', video, ...direct, '--cover', '1'], '--cover: only used with --photos'],
    [['publish', video, ...direct, '--description', 'x'], '--description: only used with --photos'],
    [['publish', video, ...direct, '--auto-add-music'], '--auto-add-music: only used with --photos'],
    [['publish', video, ...direct, '--fallback-upload'], '--fallback-upload: only used with --pull'],
    [['publish', 'https://example.com/1.jpg', ...direct, '--photos', '--pull'], '--pull: not used with --photos'],
    [
      ['publish', 'https://example.com/1.jpg', ...direct, '--photos', '--disable-duet'],
      '--disable-duet: not available',
    ],
    [['publish', video, '--account', 'a', '--mode', 'inbox', '--title', 'x'], '--title: not used with --mode inbox'],
    [['publish', video, ...direct, '--mode', 'inbox', '--dry-run'], '--privacy: not used with --mode inbox'],
    [['callbacks', 'replay', 'x', '--endpoint', 'h'], '--endpoint: only used with --failed'],
    [['callbacks', 'replay', 'x', '--failed'], '--failed'],
    [['worker', '--only', 'upload,nothing'], 'upload, status'],
    [['list', '--state', 'done'], '--state: expected one of scheduled'],
    [['list', '--state', 'failed', '--code', 'nonsense'], '--code: expected a name'],
    [['list', '--metadata', 'campaign'], 'Expected key=value'],
    [['list', '--ended-from', 'yesterday'], '--ended-from: expected an ISO 8601 time'],
    [['list', '--limit', '0'], 'whole number from 1'],
    [['accounts', 'add', 'acme'], 'standard input: expected a JSON object'],
    [['simulator', '--port', '99999'], '65535'],
  ])(
    '%j exits with 2 and says %s',
    async (args, text) => {
      const { exitCode, stdout, stderr } = await run(args);
      expect(stderr).toContain(text);
      expect(stderr).not.toMatch(/^ +at /m);
      expect(stdout).toBe('');
      expect(exitCode).toBe(2);
      // The first of them loads most of the program, which takes its time on a busy machine.
    },
    60_000,
  );

  it('is told as one JSON document with --json, and nothing else', async () => {
    const { exitCode, stdout, stderr } = await run(['publish', video, '--account', 'a b', '--json']);
    expect(exitCode).toBe(2);
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const { error } = JSON.parse(stdout) as { error: { code: string; problems: { path: string }[] } };
    expect(error).toMatchObject({ code: 'INPUT_INVALID', advice: expect.any(String), message: expect.any(String) });
    expect(error.problems.map(({ path }) => path).sort()).toEqual(['--account', '--privacy']);
  });

  it('of an option is told as JSON too', async () => {
    const { exitCode, stdout } = await run(['status', '--json']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'INPUT_USAGE' } });
  });

  it('never shows tokens that are not JSON', async () => {
    const { exitCode, stdout, stderr } = await run(['accounts', 'add', 'acme', '--open-id', 'o'], {
      stdin: 'act.secret-token',
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('standard input: expected a JSON object');
    expect(stdout + stderr).not.toContain('act.secret-token');
  });

  it('without a command shows the commands', async () => {
    const { exitCode, stderr } = await run([]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Usage: tiktok-publisher');
  });
});

describe('command line', () => {
  it.each([[['--help']], [['publish', '--help']], [['accounts', '--help']]])(
    '%j prints help and exits with 0',
    async (args) => {
      const { exitCode, stdout, stderr } = await run(args);
      expect(exitCode).toBe(0);
      expect(stdout).toContain('Usage: tiktok-publisher');
      expect(stderr).toBe('');
    },
  );

  it('prints its version', async () => {
    const { exitCode, stdout } = await run(['--version']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('names every wrong setting and exits with 3', async () => {
    const { exitCode, stderr } = await run(['list'], { env: { PORT: 'abc', LOG_LEVEL: 'loud' } });
    expect(exitCode).toBe(3);
    expect(stderr).toContain('- PORT:');
    expect(stderr).toContain('- LOG_LEVEL:');
  });

  it('says that Redis cannot be reached, without its password, and exits with 3', async () => {
    const { exitCode, stderr } = await run(['list'], { env: { REDIS_URL: 'redis://:hunter2@127.0.0.1:1' } });
    expect(exitCode).toBe(3);
    expect(stderr).toContain('127.0.0.1:1');
    expect(stderr).not.toContain('hunter2');
  });
});
