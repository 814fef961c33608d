// npm run bench -- [--full] [--only NAME,NAME] [--json FILE], or -- --compare A.json B.json: compiles the bench, runs it.
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repository, run, withCompiled } from './compile.mjs';

const PROGRAMS = readdirSync(join(repository, 'bench', 'programs')).map((name) => `bench/programs/${name}`);

process.exitCode = await withCompiled(['bench/main.ts', ...PROGRAMS], async (folder) => {
  // The web server reads the version in it.
  copyFileSync(join(repository, 'package.json'), join(folder, 'package.json'));
  return await run(join(folder, 'bench', 'main.js'), process.argv.slice(2));
});
