// Compiles src into an empty dist: what a moved or removed source left there must not be found by anyone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(import.meta.dirname, '..');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** Written by each build: sources that changed after it are not in dist. */
export const buildStampPath = join(root, 'dist', '.built');

/** Resolves to the compiler's exit code. */
export async function build() {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const compiling = spawn(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  const [status] = await once(compiling, 'exit');
  if (status === 0) {
    makeExecutable(join(root, 'dist'));
    writeFileSync(buildStampPath, '');
  }
  return status ?? 1;
}

/** npm links the command to this file once, and sets its mode only then. */
export function makeExecutable(folder) {
  chmodSync(join(folder, 'bin', 'tiktok-publisher.js'), 0o755);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await build();
