import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { distrustOf, foreignOwner, TRUST_FIX } from '../core/file-trust.ts';
import { isErrno } from '../core/system-error.ts';
import { ConfigError } from './config-error.ts';
import type { Environment } from './given-settings.ts';

/** The variables of this process, and beneath them those of a `.env` file in `folder`, if there is one. @throws ConfigError if others may have written it */
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

/** A stranger's file in a folder where somebody runs a command would send tokens to a server of his, and his link have it work on another installation. */
async function readEnvFile(path: string): Promise<string> {
  const user = process.getuid?.();
  let file: FileHandle;
  let link: string | undefined;
  try {
    link = foreignOwner(await lstat(path), user);
    // A pipe in its place would else keep us waiting for whoever made it.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
  try {
    const distrust = link ?? distrustOf(await file.stat(), user);
    if (distrust === undefined) return await file.readFile('utf8');
    throw new ConfigError([{ variable: path, message: `${distrust}, so it is not read. ${TRUST_FIX}` }]);
  } finally {
    await file.close();
  }
}
