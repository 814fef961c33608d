import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { distrustOf, TRUST_FIX } from '../core/file-trust.ts';
import { PublishError } from '../core/publish-error.ts';

/** TikTok gives files of this name (`tiktok` and a random text). */
const VERIFICATION_NAME = /^tiktok[\w-]+\.txt$/;
const VARIABLE = 'TIKTOK_VERIFICATION_FILES';

/** The texts of the files by which TikTok verifies our address, by their names. @throws PublishError `CONFIG_INVALID` */
export async function readVerificationFiles(paths: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const path of paths) {
    const name = basename(path);
    if (!VERIFICATION_NAME.test(name))
      throw invalid(`expected files named tiktok….txt, as TikTok gives them, got ${path}`);
    try {
      const distrust = distrustOf(await stat(path), process.getuid?.());
      if (distrust !== undefined) throw invalid(`lists ${path}, which ${distrust}. ${TRUST_FIX}`);
      texts.set(name, await readFile(path, 'utf8'));
    } catch (error) {
      if (error instanceof PublishError) throw error;
      throw invalid(`expected a file that can be read, got ${path}`, error);
    }
  }
  return texts;
}

function invalid(message: string, cause?: unknown): PublishError {
  return new PublishError('CONFIG_INVALID', { problems: [{ path: VARIABLE, message }] }, { cause });
}
