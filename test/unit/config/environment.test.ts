import { execFileSync } from 'node:child_process';
import { lchown, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readEnvironment } from '../../../src/config/environment.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { SETTING_DESCRIPTIONS } from '../../../src/config/settings-table.ts';
import { giveToStranger, STRANGERS } from '../../support/stranger.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'environment-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

it('reads a .env file, over which the variables of the process win', async () => {
  vi.stubEnv('PORT', '4001');
  await writeFile(join(folder, '.env'), '# comment\nPORT=4000\nQUEUE_PREFIX="{mine}"\n');
  expect(await readEnvironment(folder)).toMatchObject({ PORT: '4001', QUEUE_PREFIX: '{mine}' });
});

it.each([
  ['CONNECT_PAGE_COLOR=#0f766e', '#0f766e'],
  ['BOARD_PASSWORD=tick"tock#9  # of the board', 'tick"tock#9'],
  ["export BOARD_PASSWORD = it's#1\r", "it's#1"],
  ['BOARD_PASSWORD="quoted#1" # comment', 'quoted#1'],
  ['BOARD_USER=# nobody yet', ''],
  ['BOARD_USER=', ''],
  ['BOARD_USER=ann # the owner', 'ann'],
])('reads a value with a # whole, and a # after a blank as a comment: %s', async (line, value) => {
  await writeFile(join(folder, '.env'), `PORT=4000\n${line}\nHOST=127.0.0.1\n`);
  const name = /\w+(?= *=)/.exec(line)?.[0] ?? '';
  expect(await readEnvironment(folder)).toMatchObject({ PORT: '4000', [name]: value, HOST: '127.0.0.1' });
});

it('does not read a .env file that a stranger may have written', async () => {
  const path = join(folder, '.env');
  await writeFile(path, 'PORT=4000\n');
  await giveToStranger(path);
  await expect(readEnvironment(folder)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    problems: [{ variable: path, message: expect.stringMatching(STRANGERS) }],
  });
});

it.runIf(process.getuid?.() === 0)("does not follow a stranger's link to a .env file of its user", async () => {
  const [link, path] = [join(folder, '.env'), join(folder, 'other')];
  await writeFile(path, 'PORT=4000\n');
  await symlink(path, link);
  expect(await readEnvironment(folder)).toMatchObject({ PORT: '4000' });
  await lchown(link, 54_321, 54_321);
  await expect(readEnvironment(folder)).rejects.toMatchObject({
    problems: [{ variable: link, message: expect.stringMatching(STRANGERS) }],
  });
});

it.skipIf(process.platform === 'win32')('does not wait at a pipe in the place of a .env file', async () => {
  execFileSync('mkfifo', ['-m', '600', join(folder, '.env')]);
  expect(await readEnvironment(folder)).toMatchObject({ PATH: process.env.PATH });
});

it('needs no .env file', async () => {
  vi.stubEnv('PORT', '4001');
  expect(await readEnvironment(folder)).toMatchObject({ PORT: '4001' });
});

it('accepts .env.example with every line uncommented, and it means the defaults', async () => {
  for (const { variable } of SETTING_DESCRIPTIONS) vi.stubEnv(variable, undefined);
  const example = new URL('../../../.env.example', import.meta.url).pathname;
  const uncommented = (await readFile(example, 'utf8')).replace(/^# (?=[A-Z_]+=)/gm, '');
  await writeFile(join(folder, '.env'), uncommented);
  expect(uncommented).toMatch(/^QUEUE_PREFIX=/m);
  expect(loadConfig(await readEnvironment(folder))).toEqual(loadConfig({}));
});
