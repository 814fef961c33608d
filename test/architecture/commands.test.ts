import { expect, it } from 'vitest';
import { loadedModules } from './loaded-modules.ts';

const WEB_PACKAGES = /fastify|bull-board|aws|ajv/;

it('loads no web server for workers without metrics', { timeout: 180_000 }, async () => {
  const { files, packages } = await loadedModules('cli/commands/worker.ts');
  expect(files).toContain('app/open-workers');
  expect(files.filter((file) => /^(http\/(?!access)|simulator)/.test(file))).toEqual([]);
  expect(packages.filter((name) => WEB_PACKAGES.test(name))).toEqual([]);
});

it('loads no web server for a command that asks for jobs', { timeout: 180_000 }, async () => {
  const { files, packages } = await loadedModules('cli/commands/jobs.ts');
  expect(files).toContain('app/open-client');
  expect(
    files.filter((file) => /^(http\/(?!access)|workers\/(?!runtime\/worker-kinds$)|simulator)/.test(file)),
  ).toEqual([]);
  expect(packages.filter((name) => WEB_PACKAGES.test(name))).toEqual([]);
});
