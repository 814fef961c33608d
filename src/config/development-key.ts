import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../core/system-error.ts';
import { ConfigError } from './config-error.ts';
import type { Config } from './load-config.ts';
import { encryptionKeys } from './setting-values.ts';

/**
 * The keys that seal tokens: those of the settings, or else, with a Redis of our own, one that is generated once
 * and kept next to its data.
 *
 * @throws ConfigError when the kept key was damaged
 */
export async function encryptionKeysOf(
  config: Pick<Config, 'dataDir'> & { readonly encryptionKeys: readonly Buffer[] | undefined },
): Promise<readonly [Buffer, ...Buffer[]]> {
  const [first, ...others] = config.encryptionKeys ?? [];
  return first === undefined ? [await developmentKey(config.dataDir)] : [first, ...others];
}

async function developmentKey(dataDir: string): Promise<Buffer> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'development-key');
  const kept = (await readIfThere(path)) ?? (await createKey(path));
  const [key] = encryptionKeys.safeParse(kept.trim()).data ?? [];
  if (key) return key;
  const message = `is not set, and ${path} does not contain a base64 key of 32 bytes; restore the file, or delete it and add the accounts again`;
  throw new ConfigError([{ variable: 'ENCRYPTION_KEYS', message }]);
}

/** Written aside and then linked, so that of two processes that try at once both get the same, complete key. */
async function createKey(path: string): Promise<string> {
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    await link(aside, path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    await unlink(aside);
  }
  return readFile(path, 'utf8');
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
