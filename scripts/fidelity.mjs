// Compiles the fidelity run and its workers, then runs it: npm run fidelity -- --seed N --case K
import { join } from 'node:path';
import { run, withCompiled } from './compile.mjs';

const PROGRAMS = ['test/fidelity/run.ts', 'test/fidelity/lane-process.ts', 'test/chaos/worker-process.ts'];

process.exitCode = await withCompiled(PROGRAMS, (folder) =>
  run(join(folder, 'test', 'fidelity', 'run.js'), process.argv.slice(2)),
);
