import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pathInRepository } from '../support/build.ts';

const execute = promisify(execFile);

/** Runs a program without the settings of whoever runs the tests; answers all that it printed. */
export async function run(folder: string, command: string, ...args: string[]): Promise<string> {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, npm_config_audit: 'false', npm_config_update_notifier: 'false', CI: 'true' };
  const { stdout, stderr } = await execute(command, args, { cwd: folder, env, maxBuffer: 50_000_000 });
  return `${stdout}${stderr}`;
}

export interface PackedPackage {
  readonly tarball: string;
  readonly files: readonly string[];
  /** Makes an empty project in which the package is not installed yet. */
  newProject(): Promise<string>;
  remove(): Promise<void>;
}

/** What the bundle is made of. */
const SOURCES = ['src', 'scripts', 'docs', 'deploy', 'examples', 'assets'];
const FILES = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  '.env.example',
  'Dockerfile',
  'docker-compose.yml',
];
const PAGES = ['README', 'ARCHITECTURE', 'CHANGELOG', 'SECURITY', 'CODE_OF_CONDUCT'].map((name) => `${name}.md`);

/** Packs a copy of this repository: packing replaces `dist`, which other tests run. */
export async function packPackage(): Promise<PackedPackage> {
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-package-'));
  const copy = join(folder, 'repository');
  for (const path of [...SOURCES, ...FILES, ...PAGES, 'LICENSE'])
    await cp(pathInRepository(path), join(copy, path), { recursive: true });
  await symlink(pathInRepository('node_modules'), join(copy, 'node_modules'));
  const packed = await execute('npm', ['pack', '--json', '--pack-destination', folder], {
    ...{ cwd: copy, maxBuffer: 50_000_000 },
  });
  const [{ filename, files }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('[')));
  let projects = 0;
  return {
    tarball: join(folder, filename),
    files: files.map(({ path }: { path: string }) => path),
    async newProject() {
      projects += 1;
      const project = join(folder, `app-${projects}`);
      await mkdir(project);
      await writeFile(join(project, 'package.json'), '{ "name": "app", "private": true, "type": "module" }');
      return project;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
