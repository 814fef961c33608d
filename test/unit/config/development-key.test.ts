import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { encryptionKeysOf } from '../../../src/config/development-key.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), 'development-key-')), 'data');
});
afterEach(() => rm(join(dataDir, '..'), { recursive: true, force: true }));

it('uses the keys of the settings and leaves the data folder alone', async () => {
  const given = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  expect(await encryptionKeysOf({ encryptionKeys: given, dataDir })).toEqual(given);
  await expect(stat(dataDir)).rejects.toThrow('ENOENT');
});

it('generates a key for this user only and finds it again', async () => {
  const [key] = await encryptionKeysOf({ encryptionKeys: undefined, dataDir });
  expect(key).toHaveLength(32);
  expect((await stat(join(dataDir, 'development-key'))).mode & 0o777).toBe(0o600);
  expect(await encryptionKeysOf({ encryptionKeys: undefined, dataDir })).toEqual([key]);
});

it('gives everybody the same key when many ask at once', async () => {
  const asked = Array.from({ length: 20 }, () => encryptionKeysOf({ encryptionKeys: undefined, dataDir }));
  const keys = new Set((await Promise.all(asked)).map(([key]) => key.toString('hex')));
  expect(keys.size).toBe(1);
  expect(await readdir(dataDir)).toEqual(['development-key']);
});

it('refuses a damaged key rather than making a new one that cannot open old tokens', async () => {
  await encryptionKeysOf({ encryptionKeys: undefined, dataDir });
  await writeFile(join(dataDir, 'development-key'), 'short');
  await expect(encryptionKeysOf({ encryptionKeys: undefined, dataDir })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  });
});
