import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder of the compiled modules that the chaos tests run as processes. */
    chaosPrograms: string;
  }
}

const run = promisify(execFile);
const REPOSITORY = join(import.meta.dirname, '..', '..');

/** Compiles the worker and enqueuer processes once for the project, since Node 20 runs no TypeScript. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cache = join(REPOSITORY, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const programs = await mkdtemp(join(cache, 'chaos-tests-'));
  await run(process.execPath, [join(REPOSITORY, 'scripts', 'chaos.mjs'), '--compile', programs]);
  project.provide('chaosPrograms', programs);
  return () => rm(programs, { recursive: true, force: true });
}
