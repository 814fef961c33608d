// Makes dist, what the package ships: our code with the packages that it uses inside, so that an install brings nothing
// else. See docs/decisions/one-package-without-dependencies.md. Tests, demo and package run the same files.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(import.meta.dirname, '..');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const dist = join(root, 'dist');
/** Each file of src by itself, with its declarations, as the bundle and tests of single modules need them. */
const compiled = join(root, '.compiled');
/** Bundled here first: who runs dist meanwhile has the old one. */
const output = join(root, '.dist-bundle');

/** There once a build is complete: sources that changed after it are not in dist. */
export const builtProgram = join(dist, 'bin', 'tiktok-publisher.js');

/** Resolves to the compiler's exit code. What a moved or removed source left in dist is gone afterwards. */
export async function build() {
  for (const folder of [compiled, output]) rmSync(folder, { recursive: true, force: true });
  const compiling = spawn(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  const [status] = await once(compiling, 'exit');
  if (status !== 0) return status ?? 1;
  // Not before: it needs packages, and a fresh clone installs them first.
  const { bundle } = await import('./bundle.mjs');
  await bundle(compiled, output);
  // npm links the command to this file once, and sets its mode only then.
  chmodSync(join(output, 'bin', 'tiktok-publisher.js'), 0o755);
  rmSync(dist, { recursive: true, force: true });
  renameSync(output, dist);
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await build();
