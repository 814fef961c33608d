import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { REPOSITORY } from '../../architecture/source-files.ts';

const run = promisify(execFile);

it('a few combinations of what the simulator can do lose no post and make none twice', async () => {
  const command = [join(REPOSITORY, 'scripts', 'fidelity.mjs'), '--short', '--lanes', '4'];
  // It fails with what it found, and how to repeat it.
  const { stdout } = await run(process.execPath, command, { maxBuffer: 10_000_000 });
  expect(stdout).toMatch(/^breaches +0 /m);
  expect(stdout).toMatch(/^workers killed [4-9]$/m);
  expect(stdout).toMatch(/^combinations +4$/m);
  // It waits for workers that have to find out that another one is dead.
}, 900_000);
