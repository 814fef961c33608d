import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { runCli } from '../../../src/cli/run-cli.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';
import { capturedIo } from '../../unit/cli/captured-io.ts';

function startCommands() {
  const env = {
    REDIS_URL: testRedisUrl(),
    QUEUE_PREFIX: freshPrefix(),
    ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
  };
  return async (...args: string[]) => {
    const io = capturedIo({ env });
    const exitCode = await runCli(args, io);
    return { exitCode, ...io.printed() };
  };
}

it('keys are created, listed and revoked, and the trail says by whom', async () => {
  const run = startCommands();
  const created = await run('keys', 'create', 'shop', '--scope', 'read', 'enqueue', '--account', 'acme', '--json');
  expect(created.exitCode).toBe(0);
  const { id, key } = z.looseObject({ id: z.string(), key: z.string() }).parse(JSON.parse(created.stdout));
  const listed = await run('keys', 'list');
  expect(listed.stdout).toMatch(new RegExp(`${id} +shop +read enqueue +acme +never`));
  expect(listed.stdout).not.toContain(key);
  expect((await run('keys', 'revoke', id)).stdout).toContain('The key "shop" was revoked.');
  expect((await run('keys', 'list')).stdout).toContain('No keys.');
  const again = await run('keys', 'revoke', id);
  expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining('keys list')]);
  const trail = await run('audit');
  expect(trail.stdout).toMatch(/command line.* key\.revoke/);
  expect(trail.stdout).toMatch(/command line.* key\.create/);
  expect(JSON.parse((await run('audit', '--action', 'key.create', '--json')).stdout)).toMatchObject({
    entries: [{ action: 'key.create', subject: id, after: { name: 'shop', accounts: ['acme'] } }],
  });
});

it('a key on the command line is printed alone, so that scripts can take it', async () => {
  const run = startCommands();
  const { stdout, stderr } = await run('keys', 'create', 'ci', '--scope', 'enqueue', '--expires-in', '90d');
  expect(stdout).toMatch(/^tpk_[\w-]{43}\n$/);
  expect(stderr).toContain('shown only now');
});

it('a key needs a scope that there is', async () => {
  const run = startCommands();
  const without = await run('keys', 'create', 'shop');
  expect([without.exitCode, without.stderr]).toEqual([2, expect.stringContaining('--scope')]);
  const wrong = await run('keys', 'create', 'shop', '--scope', 'root');
  expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('read, enqueue, operate, admin')]);
});
