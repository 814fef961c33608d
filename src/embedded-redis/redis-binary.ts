import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { distrustOf } from '../core/file-trust.ts';
import { MINUTE_MS } from '../core/units.ts';
import { HOW_TO_GET_REDIS, RedisUnavailableError } from '../redis/redis-unavailable.ts';
import { isVersionSupported } from '../redis/server-facts.ts';
import { withFolderLock } from './folder-lock.ts';
import { parseServerVersion, type RedisProgram } from './redis-process.ts';

const run = promisify(execFile);

/** Whatever apt itself depends on is installed already. */
const ALREADY_INSTALLED = new Set(['libc6', 'libsystemd0']);
const DOWNLOAD_TIMEOUT_MS = 3 * MINUTE_MS;

interface FindRedisOptions {
  /** Folder that may keep downloaded programs between runs. */
  readonly cacheDir: string;
  readonly log?: Logger | undefined;
}

/**
 * Finds a Redis or Valkey on the PATH or else fetches the distribution's (Debian, Ubuntu) without root.
 *
 * @throws RedisUnavailableError `no_program` when there is none.
 */
export async function findRedisProgram(options: FindRedisOptions): Promise<RedisProgram> {
  for (const command of ['redis-server', 'valkey-server']) {
    const version = await versionOf(command);
    if (version !== undefined && isVersionSupported(version)) return { kind: 'system', command, version };
  }
  return debianRedis(options);
}

async function versionOf(command: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(command, ['--version']);
    return parseServerVersion(stdout);
  } catch {
    return undefined;
  }
}

/**
 * The Redis of the Debian or Ubuntu that we run on, kept unpacked in `cacheDir`, so that neither root
 * nor an installation is needed. Processes that ask at the same time share one download.
 *
 * @throws RedisUnavailableError `no_program` on other systems, without network, or when apt fails, and where others may have
 * put the program there.
 */
async function debianRedis({ cacheDir: cachePath, log }: FindRedisOptions): Promise<RedisProgram> {
  const release = await debianRelease();
  if (release === undefined) throw noProgram('there is no redis-server or valkey-server on the PATH');
  const prefix = `redis-${release}-${process.arch}-`;
  try {
    const cacheDir = await ownFolder(cachePath);
    const kept = await findKept(cacheDir, prefix);
    if (kept) return kept;
    return await withFolderLock(join(cacheDir, `${prefix}lock`), { waitMs: DOWNLOAD_TIMEOUT_MS }, async () => {
      return (await findKept(cacheDir, prefix)) ?? (await download(cacheDir, prefix, log));
    });
  } catch (error) {
    if (error instanceof RedisUnavailableError) throw error;
    throw noProgram(`there is no redis-server on the PATH, and downloading the one of ${release} failed`, error);
  }
}

/** What lies in the folder is run, so nobody else may write to it. @returns its path without symbolic links */
async function ownFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const folder = await realpath(path);
  const distrust = distrustOf(await stat(folder), process.getuid?.());
  if (distrust === undefined) return folder;
  throw noProgram(`there is no redis-server on the PATH, and the cache folder ${folder} ${distrust}`);
}

/** `debian-12`, `ubuntu-24.04`: libraries unpacked for one release do not fit another. */
async function debianRelease(): Promise<string | undefined> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (name: string) => new RegExp(`^${name}="?([\\w.-]+)"?$`, 'm').exec(text)?.[1];
  const [id, version] = [field('ID'), field('VERSION_ID')];
  return id !== undefined && version !== undefined && ['debian', 'ubuntu'].includes(id)
    ? `${id}-${version}`
    : undefined;
}

async function findKept(cacheDir: string, prefix: string): Promise<RedisProgram | undefined> {
  const names = await readdir(cacheDir).catch((): string[] => []);
  const folder = names
    .filter((name) => name.startsWith(prefix) && /-\d[\d.]*$/.test(name))
    .sort()
    .at(-1);
  return folder === undefined ? undefined : programIn(join(cacheDir, folder), folder.slice(prefix.length));
}

async function programIn(folder: string, version: string): Promise<RedisProgram> {
  const command = join(folder, 'usr', 'bin', 'redis-server');
  await access(command);
  const [triplet] = (await readdir(join(folder, 'usr', 'lib'))).filter((name) => name.endsWith('-linux-gnu'));
  const libraryPath = join(folder, 'usr', 'lib', triplet ?? '');
  return { kind: 'debian-cache', command, libraryPath, version };
}

async function download(cacheDir: string, prefix: string, log: Logger | undefined): Promise<RedisProgram> {
  log?.info({ cacheDir }, 'no redis-server on the PATH, downloading it from the distribution');
  const work = await mkdtemp(join(cacheDir, 'download-'));
  try {
    const root = join(work, 'root');
    await unpackPackages(work, root);
    // Debian ships one binary for server and checker and tells them apart by the name it is called by.
    await symlink('redis-check-rdb', join(root, 'usr', 'bin', 'redis-server'));
    const { version } = await checkedProgram(root);
    const folder = join(cacheDir, `${prefix}${version}`);
    // The folder appears complete or not at all.
    await rename(root, folder);
    log?.info({ version }, 'redis downloaded');
    return await programIn(folder, version);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function unpackPackages(work: string, root: string): Promise<void> {
  const debs = join(work, 'debs');
  for (const folder of ['lists/partial', 'archives/partial', 'debs']) {
    await mkdir(join(work, folder), { recursive: true });
  }
  const options = aptOptions(work);
  // One unreachable third-party source fails the update, though Debian's own lists have arrived.
  await run('apt-get', [...options, 'update'], { timeout: DOWNLOAD_TIMEOUT_MS }).catch(() => undefined);
  const { stdout } = await run('env', ['LC_ALL=C', 'apt-cache', ...options, 'depends', 'redis-tools']);
  const packages = ['redis-tools', ...librariesIn(stdout)];
  await run('apt-get', [...options, 'download', ...packages], { cwd: debs, timeout: DOWNLOAD_TIMEOUT_MS });
  for (const deb of await readdir(debs)) await run('dpkg-deb', ['-x', join(debs, deb), root]);
}

/** Keeps all of apt's state in `work`, so that it runs without root and leaves the system's own state alone. */
function aptOptions(work: string): string[] {
  const settings = [
    `Dir::State=${work}`,
    `Dir::State::lists=${work}/lists`,
    'Dir::State::status=/dev/null',
    `Dir::Cache=${work}`,
    `Dir::Cache::archives=${work}/archives`,
    'APT::Sandbox::User=',
    'Debug::NoLocking=1',
    'Acquire::Languages=none',
    'Acquire::Retries=2',
    'Acquire::http::Timeout=15',
    'Acquire::https::Timeout=15',
  ];
  return ['-qq', ...settings.flatMap((setting) => ['-o', setting])];
}

function librariesIn(aptDepends: string): string[] {
  const names = [...aptDepends.matchAll(/^[ |]*(?:Pre)?Depends: ((?:lib|lua)\S+)$/gm)].flatMap(
    ([, name]) => name ?? [],
  );
  return [...new Set(names)].filter((name) => !ALREADY_INSTALLED.has(name));
}

async function checkedProgram(root: string): Promise<RedisProgram> {
  const program = await programIn(root, '');
  const { stdout } = await run('env', [`LD_LIBRARY_PATH=${program.libraryPath}`, program.command, '--version']);
  const version = parseServerVersion(stdout);
  if (version === undefined) throw new Error(`expected a Redis version from ${program.command}, got ${stdout.trim()}`);
  return { ...program, version };
}

function noProgram(message: string, cause?: unknown): RedisUnavailableError {
  return new RedisUnavailableError('no_program', message, { advice: HOW_TO_GET_REDIS, cause });
}
