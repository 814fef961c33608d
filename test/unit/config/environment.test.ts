import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readEnvironment } from '../../../src/config/environment.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { SETTING_DESCRIPTIONS } from '../../../src/config/settings-table.ts';

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
