import { execFile } from 'node:child_process';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pathInRepository } from '../support/build.ts';

const run = promisify(execFile);

/**
 * Writes every address that an import resolves to, one a line, to a file: a pipe that is full takes nothing at once. Runs
 * beside the program, on Node's thread for hooks.
 */
const HOOKS = `
import { appendFileSync } from 'node:fs';
export async function resolve(specifier, context, nextResolve) {
  const resolved = await nextResolve(specifier, context);
  appendFileSync(process.env.LOADED, resolved.url + '\\n');
  return resolved;
}`;

/** Imports a module under the hooks; packages in CommonJS load further files, which are in the cache afterwards. */
const PROGRAM = `
import { appendFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
register('data:text/javascript,' + encodeURIComponent(process.env.HOOKS));
await import(process.env.ENTRY);
const { cache } = createRequire(process.env.ENTRY);
appendFileSync(process.env.LOADED, Object.keys(cache).join('\\n'));`;

/** What importing one module of src loads at run time. */
export interface LoadedModules {
  /** Files of ours, from src and without their ending: `redis/keys`. */
  readonly files: readonly string[];
  /** Packages, those that packages load included. */
  readonly packages: readonly string[];
}

/** Imports a module of src, as built, in a process of its own and tells what came with it. */
export async function loadedModules(module: string): Promise<LoadedModules> {
  // Node tells where a module really is, links followed.
  const dist = `${await realpath(pathInRepository('.compiled'))}/`;
  const folder = await mkdtemp(join(tmpdir(), 'loaded-modules-'));
  const LOADED = join(folder, 'loaded');
  const env = { ...process.env, HOOKS, LOADED, ENTRY: `file://${dist}${module.replace(/\.ts$/, '.js')}` };
  await run(process.execPath, ['--input-type=module', '--eval', PROGRAM], { env });
  const loaded = await readFile(LOADED, 'utf8');
  await rm(folder, { recursive: true });
  const paths = loaded.split('\n').map((line) => line.replace(/^file:\/\//, ''));
  const files = paths.filter((path) => path.startsWith(dist)).map((path) => path.slice(dist.length, -'.js'.length));
  return { files: distinct(files), packages: distinct(paths.flatMap(packageOfPath)) };
}

function packageOfPath(path: string): string[] {
  const inside = path.split('/node_modules/').at(-1) ?? '';
  const [, name] = /^((?:@[^/]+\/)?[^/.][^/]*)\//.exec(path.includes('/node_modules/') ? inside : '') ?? [];
  return name === undefined ? [] : [name];
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
