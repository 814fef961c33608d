// Compiles programs that are no part of the package, next to `node_modules`, so that packages resolve.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export const repository = join(import.meta.dirname, '..');
const options =
  '--ignoreConfig --module nodenext --target es2023 --rewriteRelativeImportExtensions --noCheck --types node';

/** @param modules TypeScript files, from the repository's top; compiled to the same paths below `outDir` */
export function compile(modules, outDir) {
  const compiler = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
  const folders = ['--rootDir', repository, '--outDir', outDir];
  const sources = modules.map((path) => join(repository, path));
  execFileSync(process.execPath, [compiler, ...sources, ...options.split(' '), ...folders], {
    cwd: repository,
    stdio: 'inherit',
  });
}

/** Compiles into a folder that is gone after `use`. */
export async function withCompiled(modules, use) {
  const cache = join(repository, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'programs-'));
  try {
    compile(modules, folder);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
