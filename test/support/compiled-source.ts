import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const REPOSITORY = new URL('../../', import.meta.url).pathname;

/** A module of `src` as JavaScript, for tests that need it in a process of its own. */
export interface CompiledSource {
  readonly path: string;
  remove(): Promise<void>;
}

/** Compiles one module of `src` and what it imports, next to `node_modules` so that packages resolve. */
export async function compileSource(module: string): Promise<CompiledSource> {
  const cache = join(REPOSITORY, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const outDir = await mkdtemp(join(cache, 'compiled-source-'));
  const compiler = join(REPOSITORY, 'node_modules', 'typescript', 'bin', 'tsc');
  const options =
    '--ignoreConfig --module nodenext --target es2023 --rewriteRelativeImportExtensions --noCheck --types node';
  const folders = ['--rootDir', join(REPOSITORY, 'src'), '--outDir', outDir];
  await run(process.execPath, [compiler, join(REPOSITORY, 'src', module), ...options.split(' '), ...folders]);
  return {
    path: join(outDir, module.replace(/\.ts$/, '.js')),
    remove: () => rm(outDir, { recursive: true, force: true }),
  };
}
