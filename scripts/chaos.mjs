// Compiles what the chaos suite runs as processes of its own, then runs it: npm run chaos -- --rounds N --seed S
// With `--short` it runs the suite's tests, as CI does; with `--compile FOLDER` it only compiles.
import { join } from 'node:path';
import { compile, repository, run, withCompiled } from './compile.mjs';

const PROGRAMS = ['run', 'worker-process', 'enqueuer-process'].map((name) => `test/chaos/${name}.ts`);

const args = process.argv.slice(2);
if (args[0] === '--compile') {
  compile(PROGRAMS, args[1]);
} else if (args[0] === '--short') {
  const vitest = join(repository, 'node_modules', 'vitest', 'vitest.mjs');
  process.exitCode = await run(vitest, ['run', '--project', 'chaos', ...args.slice(1)]);
} else {
  process.exitCode = await withCompiled(PROGRAMS, (folder) => run(join(folder, 'test', 'chaos', 'run.js'), args));
}
