import { execFile } from 'node:child_process';
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirFrom } from '../../src/config/load-config.ts';
import type { ServerProgram } from '../support/redis-server.ts';

const run = promisify(execFile);
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** A server of another release of Debian. */
export interface OtherEngine {
  readonly server: 'redis' | 'valkey';
  readonly release: 'trixie' | 'sid';
}

/**
 * Fetches a server and all its libraries from a release of Debian that is not installed, without root, and keeps them in
 * the cache folder. It runs with the C library of that release.
 *
 * @returns undefined where there is no Debian, or no way to its packages
 */
export async function otherEngine({ server, release }: OtherEngine): Promise<ServerProgram | undefined> {
  const cacheDir = cacheDirFrom(process.env);
  const folder = join(cacheDir, `${server}-of-${release}-${process.arch}`);
  const command = join(folder, 'server');
  try {
    await access(command).catch(() => fetchInto(folder, { cacheDir, server, release }));
    return { command };
  } catch {
    return undefined;
  }
}

async function fetchInto(folder: string, from: OtherEngine & { readonly cacheDir: string }): Promise<void> {
  const { cacheDir, server, release } = from;
  await access(KEYRING);
  await mkdir(cacheDir, { recursive: true });
  const work = await mkdtemp(join(cacheDir, 'download-'));
  try {
    const debs = join(work, 'debs');
    for (const name of ['lists/partial', 'archives/partial', 'debs'])
      await mkdir(join(work, name), { recursive: true });
    await writeFile(
      join(work, 'sources.list'),
      `deb [signed-by=${KEYRING}] http://deb.debian.org/debian ${release} main\n`,
    );
    const options = aptOptions(work);
    await run('apt-get', [...options, 'update']);
    await run('apt-get', [...options, 'download', ...(await packagesOf(`${server}-tools`, options))], { cwd: debs });
    const root = join(work, 'root');
    for (const deb of await readdir(debs)) await run('dpkg-deb', ['-x', join(debs, deb), root]);
    await writeLauncher(root, folder, server);
    await rename(root, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function aptOptions(work: string): string[] {
  const settings = [
    ...[`Dir::Etc::sourcelist=${work}/sources.list`, 'Dir::Etc::sourceparts=/dev/null'],
    ...[`Dir::State=${work}`, `Dir::State::lists=${work}/lists`, 'Dir::State::status=/dev/null'],
    ...[`Dir::Cache=${work}`, `Dir::Cache::archives=${work}/archives`],
    ...['APT::Sandbox::User=', 'Debug::NoLocking=1', 'Acquire::Languages=none'],
  ];
  return settings.flatMap((setting) => ['-o', setting]);
}

/** A package and the libraries that it needs, however indirectly. */
async function packagesOf(name: string, options: readonly string[]): Promise<string[]> {
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((kind) => `--no-${kind}`);
  const { stdout } = await run('apt-cache', [...options, 'depends', '--recurse', ...only, name]);
  return stdout.split('\n').filter((line) => line === name || /^(lib|zlib)[\w.+-]+$/.test(line));
}

/** Debian ships one binary for server and checker and tells them apart by the name it is called by. */
async function writeLauncher(root: string, folder: string, server: string): Promise<void> {
  await symlink(`${server}-check-rdb`, join(root, 'usr', 'bin', `${server}-server`));
  const triplet = (await readdir(join(root, 'usr', 'lib'))).find((name) => name.endsWith('-linux-gnu')) ?? '';
  const loader = (await readdir(join(root, 'usr', 'lib', triplet))).find((name) => name.startsWith('ld-linux')) ?? '';
  const libraries = join(folder, 'usr', 'lib', triplet);
  const program = `"${join(libraries, loader)}" --library-path "${libraries}" "${join(folder, 'usr', 'bin', `${server}-server`)}"`;
  const launcher = join(root, 'server');
  await writeFile(launcher, `#!/bin/sh\nexec ${program} "$@"\n`);
  await chmod(launcher, 0o755);
}
