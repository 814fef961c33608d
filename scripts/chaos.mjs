// Compiles what the chaos suite runs as processes of its own, then runs it: npm run chaos -- --rounds N --seed S
// With `--compile FOLDER` it only compiles.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '..');
const modules = ['run', 'worker-process', 'enqueuer-process'];
const options =
  '--ignoreConfig --module nodenext --target es2023 --rewriteRelativeImportExtensions --noCheck --types node';

/** Compiles next to `node_modules`, so that packages resolve. */
function compile(outDir) {
  const compiler = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
  const sources = modules.map((name) => join(repository, 'test', 'chaos', `${name}.ts`));
  const folders = ['--rootDir', repository, '--outDir', outDir];
  execFileSync(process.execPath, [compiler, ...sources, ...options.split(' '), ...folders], { stdio: 'inherit' });
}

const args = process.argv.slice(2);
if (args[0] === '--compile') {
  compile(args[1]);
} else {
  const cache = join(repository, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const programs = mkdtempSync(join(cache, 'chaos-'));
  compile(programs);
  const run = spawn(process.execPath, [join(programs, 'test', 'chaos', 'run.js'), ...args], { stdio: 'inherit' });
  // Ctrl-C reaches the child as well; it cleans up and we wait for it.
  process.on('SIGINT', () => undefined);
  run.on('exit', (code) => {
    rmSync(programs, { recursive: true, force: true });
    process.exitCode = code ?? 1;
  });
}
