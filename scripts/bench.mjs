// npm run bench -- [--full] [--only NAME,NAME]: compiles the bench and runs it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repository, withCompiled } from './compile.mjs';

const PROGRAMS = ['tiktok', 'bare-worker', 'product-worker'].map((name) => `bench/programs/${name}.ts`);

process.exitCode = await withCompiled(['bench/main.ts', ...PROGRAMS], async (folder) => {
  const main = spawn(process.execPath, [join(folder, 'bench', 'main.js'), ...process.argv.slice(2)], {
    stdio: 'inherit',
    cwd: repository,
  });
  const [code] = await once(main, 'exit');
  return code ?? 1;
});
