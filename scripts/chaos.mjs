// Compiles what the chaos suite runs as processes of its own, then runs it: npm run chaos -- --rounds N --seed S
// With `--short` it runs the suite's tests, as CI does; with `--compile FOLDER` it only compiles.
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

/** Resolves with its exit code. Ctrl-C reaches the child as well; it cleans up and we wait for it. */
async function run(program, args) {
  process.on('SIGINT', () => undefined);
  const child = spawn(process.execPath, [program, ...args], { cwd: repository, stdio: 'inherit' });
  return await new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
}

const args = process.argv.slice(2);
if (args[0] === '--compile') {
  compile(args[1]);
} else if (args[0] === '--short') {
  const vitest = join(repository, 'node_modules', 'vitest', 'vitest.mjs');
  process.exitCode = await run(vitest, ['run', '--project', 'chaos', ...args.slice(1)]);
} else {
  const cache = join(repository, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const programs = mkdtempSync(join(cache, 'chaos-'));
  compile(programs);
  process.exitCode = await run(join(programs, 'test', 'chaos', 'run.js'), args);
  rmSync(programs, { recursive: true, force: true });
}
