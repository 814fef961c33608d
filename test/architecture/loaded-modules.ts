import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import { pathInRepository } from '../support/build.ts';

const run = promisify(execFile);

/** Writes every address that an import resolves to, one a line. Runs beside the program, on Node's thread for hooks. */
const HOOKS = `
import { writeSync } from 'node:fs';
export async function resolve(specifier, context, nextResolve) {
  const resolved = await nextResolve(specifier, context);
  writeSync(1, resolved.url + '\\n');
  return resolved;
}`;

/** Imports a module under the hooks; packages in CommonJS load further files, which are in the cache afterwards. */
const PROGRAM = `
import { createRequire, register } from 'node:module';
register('data:text/javascript,' + encodeURIComponent(process.env.HOOKS));
await import(process.env.ENTRY);
const { cache } = createRequire(process.env.ENTRY);
console.log(Object.keys(cache).join('\\n'));`;

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
  const env = { ...process.env, HOOKS, ENTRY: `file://${dist}${module.replace(/\.ts$/, '.js')}` };
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', PROGRAM], { env });
  const paths = stdout.split('\n').map((line) => line.replace(/^file:\/\//, ''));
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
