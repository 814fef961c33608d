import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startCallbackReceiver } from '../../support/callback-receiver.ts';
import { giveToStranger, STRANGERS } from '../../support/stranger.ts';
import { freshEnvironment, runCommand, startCommand } from './command.ts';

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'foreign-files-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

it.each([
  ['for people', [] as string[], 'stderr' as const],
  ['as JSON', ['--json'], 'stdout' as const],
])(
  "refuses a stranger's .env in the present folder, names it, and asks no server of his: %s",
  async (_for, more, where) => {
    const folder = await freshFolder();
    const receiver = await startCallbackReceiver();
    onTestFinished(() => receiver.close());
    const path = join(folder, '.env');
    await writeFile(path, `TIKTOK_API_BASE_URL=${receiver.url}\nLOG_LEVEL=trace\n`);
    await giveToStranger(path);
    const result = await runCommand(['doctor', ...more], freshEnvironment(), '', folder);
    expect(result.exitCode).toBe(3);
    expect(result[where]).toContain(path);
    expect(result[where]).toMatch(STRANGERS);
    expect(receiver.received).toEqual([]);
  },
);

it.each(['REDIS_TLS_CA_FILE', 'REDIS_TLS_KEY_FILE'])("refuses a stranger's file of %s", async (variable) => {
  const path = join(await freshFolder(), 'file.pem');
  await writeFile(path, '-----BEGIN CERTIFICATE-----\n');
  await giveToStranger(path);
  const tls = { REDIS_TLS_CERT_FILE: path, REDIS_TLS_KEY_FILE: path, [variable]: path };
  const env = freshEnvironment({ ...tls, REDIS_URL: 'rediss://127.0.0.1:1' });
  const { exitCode, stderr } = await runCommand(['list'], env);
  expect(exitCode).toBe(3);
  expect(stderr).toMatch(STRANGERS);
  expect(stderr).toContain(path);
});

it('says at its start that tokens and videos go to another address than TikTok', async () => {
  const address = 'http://127.0.0.1:9';
  const service = startCommand(['start'], freshEnvironment({ TIKTOK_API_BASE_URL: address }));
  await service.printed(`TIKTOK_API_BASE_URL is ${address}: tokens and videos go there, and not to TikTok.`);
  await service.printed('Publishing.');
  service.kill('SIGTERM');
  const { exitCode, stdout, stderr } = await service.ended;
  expect(exitCode).toBe(0);
  for (const stream of [stdout, stderr]) expect(stream).toContain(address);
});
