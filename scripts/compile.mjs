// Compiles programs that are no part of the package, next to `node_modules`, so that packages resolve.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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
  // The program reads its version there.
  copyFileSync(join(repository, 'package.json'), join(outDir, 'package.json'));
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

/** Resolves with its exit code. Ctrl-C reaches the program as well; it cleans up and we wait for it. */
export async function run(program, args) {
  process.on('SIGINT', () => undefined);
  const [code] = await once(spawn(process.execPath, [program, ...args], { cwd: repository, stdio: 'inherit' }), 'exit');
  return code ?? 1;
}
