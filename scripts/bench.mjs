// npm run bench -- [--full] [--only NAME,NAME] [--json FILE], or -- --compare A.json B.json: compiles the bench, runs it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repository, withCompiled } from './compile.mjs';

const PROGRAMS = readdirSync(join(repository, 'bench', 'programs')).map((name) => `bench/programs/${name}`);

process.exitCode = await withCompiled(['bench/main.ts', ...PROGRAMS], async (folder) => {
  // The web server reads the version in it.
  copyFileSync(join(repository, 'package.json'), join(folder, 'package.json'));
  const program = join(folder, 'bench', 'main.js');
  const bench = spawn(process.execPath, [program, ...process.argv.slice(2)], { cwd: repository, stdio: 'inherit' });
  const [code] = await once(bench, 'exit');
  return code ?? 1;
});
