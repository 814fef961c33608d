import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { isErrno } from '../core/system-error.ts';
import type { Environment } from './given-settings.ts';

/** The variables of this process, and beneath them those of a `.env` file in `folder`, if there is one. */
export async function readEnvironment(folder: string): Promise<Environment> {
  return { ...parseEnv(await readEnvFile(join(folder, '.env'))), ...process.env };
}

async function readEnvFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}
