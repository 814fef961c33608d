// Compiles what the chaos suite runs as processes of its own, then runs it: npm run chaos -- --rounds N --seed S
// With `--short` it runs the suite's tests, as CI does; with `--compile FOLDER` it only compiles.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { compile, repository, withCompiled } from './compile.mjs';

const PROGRAMS = ['run', 'worker-process', 'enqueuer-process'].map((name) => `test/chaos/${name}.ts`);

/** Resolves with its exit code. Ctrl-C reaches the child as well; it cleans up and we wait for it. */
async function run(program, args) {
  process.on('SIGINT', () => undefined);
  const child = spawn(process.execPath, [program, ...args], { cwd: repository, stdio: 'inherit' });
  return await new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
}

const args = process.argv.slice(2);
if (args[0] === '--compile') {
  compile(PROGRAMS, args[1]);
} else if (args[0] === '--short') {
  const vitest = join(repository, 'node_modules', 'vitest', 'vitest.mjs');
  process.exitCode = await run(vitest, ['run', '--project', 'chaos', ...args.slice(1)]);
} else {
  process.exitCode = await withCompiled(PROGRAMS, (folder) => run(join(folder, 'test', 'chaos', 'run.js'), args));
}
