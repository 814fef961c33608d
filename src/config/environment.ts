import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { isErrno } from '../core/system-error.ts';
import type { Environment } from './given-settings.ts';

/** The variables of this process, and beneath them those of a `.env` file in `folder`, if there is one. */
export async function readEnvironment(folder: string): Promise<Environment> {
  return { ...parseEnv(quoteHashes(await readEnvFile(join(folder, '.env')))), ...process.env };
}

const UNQUOTED_LINE = /^([ \t]*(?:export[ \t]+)?\w+[ \t]*=[ \t]*)([^\s'"`].*)$/gm;

/**
 * A `#` begins a comment after a blank alone, as in Docker Compose, which reads the same file: colours and passwords may
 * hold one. Node's parser would end an unquoted value there, without a word.
 */
function quoteHashes(text: string): string {
  return text.replace(UNQUOTED_LINE, (line, start: string, rest: string) => {
    const [value = ''] = /^#(?:\s|$)/.test(rest) ? [] : rest.split(/(?<!\s)\s+#/);
    const quote = ["'", '"', '`'].find((mark) => !value.includes(mark));
    return value.includes('#') && quote !== undefined ? start + quote + value.trimEnd() + quote : line;
  });
}

async function readEnvFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}
