import { spawn } from 'node:child_process';
import { cp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../src/embedded-redis/redis-process.ts';
import { pathInRepository } from '../support/build.ts';
import { eventually } from '../support/eventually.ts';
import { type PackedPackage, packPackage, run } from './installed-package.ts';

let packed: PackedPackage;

beforeAll(async () => {
  packed = await packPackage();
});

afterAll(() => packed.remove());

/** What people may add to their app at most (bytes). */
const MAX_INSTALL_BYTES = 20_000_000;

const WARNING = /\bwarn(ing)?\b|EBADENGINE|unsupported|incompatible|deprecated|ignored build scripts/i;

/** Lines that say something about this test, and not about the package. */
const ABOUT_THE_TEST = /package\.json: No license field|No license field|no lockfile found/i;

const warningsIn = (text: string) =>
  text.split('\n').filter((line) => WARNING.test(line) && !ABOUT_THE_TEST.test(line));

async function sizeBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

describe('the tarball', () => {
  it('has no source maps, no traces of the build, and the licences of what is inside', () => {
    expect(packed.files.filter((path) => /\.map$|tsbuildinfo|\.built$/.test(path))).toEqual([]);
    expect(packed.files).toContain('dist/THIRD-PARTY-LICENSES.txt');
  });

  it('lists what is inside in an SBOM, each with the digest of the lock file', async () => {
    const project = await packed.newProject();
    await run(project, 'tar', 'xzf', packed.tarball);
    const read = (file: string) => readFile(join(project, 'package/dist', file), 'utf8');
    const { components, metadata } = JSON.parse(await read('sbom.cdx.json'));
    const licences = await read('THIRD-PARTY-LICENSES.txt');
    const inside = [...licences.matchAll(/(?:^|-{80}\n)(\S+) (\d\S*) \(/g)].map(
      ([, name, version]) => `${name}@${version}`,
    );
    expect(inside.length).toBeGreaterThan(100);
    expect(components.map((component: { 'bom-ref': string }) => component['bom-ref']).sort()).toEqual(inside.sort());
    expect(components.filter(({ hashes = [] }) => hashes.length === 0)).toEqual([]);
    expect(metadata.component.name).toBe('tiktok-publisher');
  });

  it.each([
    ['npm', ['npm', 'install']],
    ['Yarn 1', ['npx', '--yes', 'yarn@1', 'add']],
    ['pnpm', ['npx', '--yes', 'pnpm@10', 'add']],
  ])('is installed by %s as one small package, without a warning', async (_, [command = '', ...args]) => {
    const project = await packed.newProject();
    expect(warningsIn(await run(project, command, ...args, packed.tarball))).toEqual([]);
    const installed = (await readdir(join(project, 'node_modules'))).filter((name) => !name.startsWith('.'));
    expect(installed).toEqual(['tiktok-publisher']);
    expect(await sizeBelow(join(project, 'node_modules'))).toBeLessThan(MAX_INSTALL_BYTES);
  });

  it('runs the demo from that one install', async () => {
    const project = await packed.newProject();
    await run(project, 'npm', 'install', packed.tarball);
    expect(await run(project, 'npx', 'tiktok-publisher', 'demo')).toContain('identical on both sides');
  });
});

const APP = `
import { createPublisher, PublishError } from 'tiktok-publisher';
const publisher = createPublisher({ redisUrl: 'redis://127.0.0.1:1' });
const media = { type: 'file', path: '/videos/a.mp4' };
const post = { title: 'Hello', privacyLevel: 'SELF_ONLY' };
const error = await publisher.enqueue({ account: 'acme', mode: 'direct', media, post }).catch((error) => error);
console.log(error instanceof PublishError, error.code);
await publisher.close();
`;

describe('an app that only enqueues', () => {
  let project: string;

  beforeAll(async () => {
    project = await packed.newProject();
    await run(project, 'npm', 'install', packed.tarball, 'esbuild@0.28', 'vite@8');
    await writeFile(join(project, 'app.js'), APP);
  });

  const RAN = 'true REDIS_UNAVAILABLE';

  it('runs unbundled', async () => {
    expect(await run(project, process.execPath, 'app.js')).toContain(RAN);
  });

  it('runs as a bundle of esbuild', async () => {
    const flags = [
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--splitting',
      '--outdir=esbuild',
      '--log-level=warning',
    ];
    expect(await run(project, 'npx', 'esbuild', 'app.js', ...flags)).toBe('');
    expect(await run(project, process.execPath, 'esbuild/app.js')).toContain(RAN);
  });

  it('runs as an SSR build of Vite, with the package outside and inside', async () => {
    for (const noExternal of ['[]', 'true']) {
      const config = `export default { ssr: { noExternal: ${noExternal} }, build: { ssr: 'app.js', outDir: 'vite' } }`;
      await writeFile(join(project, 'vite.config.js'), config);
      await run(project, 'npx', 'vite', 'build');
      expect(await run(project, process.execPath, 'vite/app.js')).toContain(RAN);
    }
  });

  it('is checked by TypeScript, also in our declarations', async () => {
    const typed = APP.replaceAll(/const (media|post) = (.*);/g, 'const $1 = $2 as const;').replace(
      '(error) =>',
      '(error: unknown) =>',
    );
    await writeFile(
      join(project, 'app.ts'),
      `${typed.replace(/^console.*$/m, '')}
      import { createWorkers } from 'tiktok-publisher/workers';
      import { planChunks } from 'tiktok-publisher/tiktok';
      import { startSimulator } from 'tiktok-publisher/simulator';
      const workers = await createWorkers();
      const ready: boolean = (await workers.readiness()).ready;
      console.log(planChunks, startSimulator, ready, error);
      // @ts-expect-error an account is a string
      await publisher.enqueue({ account: 1, mode: 'direct', media, post });
    `,
    );
    const compiler = pathInRepository('node_modules/typescript/bin/tsc');
    const types = ['--types', 'node', '--typeRoots', pathInRepository('node_modules/@types')];
    const flags = ['--ignoreConfig', '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', ...types];
    expect(await run(project, process.execPath, compiler, 'app.ts', ...flags).catch(({ stdout }) => stdout)).toBe('');
  });
});

describe('the demo without any Redis', () => {
  it('runs on the imitation that is inside the package', async () => {
    const project = await packed.newProject();
    await run(project, 'npm', 'install', packed.tarball);
    const program = join(project, 'node_modules/tiktok-publisher/dist/bin/tiktok-publisher.js');
    // No program is on this PATH: no redis-server, and nothing to download one with.
    const output = await run(
      project,
      'env',
      '-i',
      `HOME=${project}`,
      `PATH=${project}`,
      'LOG_FORMAT=pretty',
      process.execPath,
      program,
      'demo',
    );
    expect(output).toContain('an in-memory imitation');
    expect(output).toContain('identical on both sides');
  });
});

describe('the Next.js example', () => {
  const LAYOUT = `export default function Layout({ children }: { children: React.ReactNode }) {
    return <html><body>{children}</body></html>;
  }`;

  it('is built by Next.js, and answers', async () => {
    const project = await packed.newProject();
    const tools = ['next@16', 'react', 'react-dom', 'typescript@5', '@types/node@20', '@types/react'];
    await run(project, 'npm', 'install', packed.tarball, ...tools);
    await cp(pathInRepository('examples/nextjs'), project, { recursive: true });
    await writeFile(join(project, 'app/layout.tsx'), LAYOUT);
    await writeFile(
      join(project, 'next.config.js'),
      "export default { serverExternalPackages: ['tiktok-publisher'] };",
    );
    expect(await run(project, 'npx', 'next', 'build')).toContain('/api/publish');
    const old = ['--module', 'esnext', '--moduleResolution', 'node', '--target', 'es2022', '--skipLibCheck'];
    await run(project, 'npx', 'tsc', '--noEmit', '--strict', ...old, 'app/api/publish/route.ts');
    const port = await freePort();
    const env = { ...process.env, REDIS_URL: 'redis://127.0.0.1:1', NEXT_TELEMETRY_DISABLED: '1' };
    const next = join(project, 'node_modules/next/dist/bin/next');
    const server = spawn(process.execPath, [next, 'start', '--hostname', '127.0.0.1', '--port', String(port)], {
      ...{ cwd: project, env, stdio: 'ignore' },
    });
    onTestFinished(() => void server.kill('SIGKILL'));
    const ask = () => fetch(`http://127.0.0.1:${port}/api/publish?id=none`).catch(() => undefined);
    await eventually(async () => (await ask())?.status === 503, { timeoutMs: 60_000 });
    expect(await (await ask())?.json()).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
  });
});
