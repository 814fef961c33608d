import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createPublisher } from '../../../src/producers/index.ts';

const run = promisify(execFile);
const pathOf = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

const page = await readFile(pathOf('docs/library.md'), 'utf8');

/** What the page leaves to its reader. */
const READERS_PART = `
declare function readCursor(): Promise<string>;
declare function storeCursor(cursor: string): Promise<void>;
`;

describe('docs/library.md', () => {
  it('has a heading for every call', async () => {
    const publisher = createPublisher({ redisUrl: 'redis://127.0.0.1:1' });
    const calls = Object.keys(publisher);
    await publisher.close();
    expect(calls.length).toBeGreaterThan(9);
    const headings = [...page.matchAll(/^### `(\w+)[(`]/gm)].map(([, name]) => name);
    expect(headings.sort()).toEqual(calls.sort());
  });

  it('shows code that compiles in an app that has installed the package', async () => {
    const app = await mkdtemp(join(tmpdir(), 'tiktok-publisher-docs-'));
    try {
      await mkdir(join(app, 'node_modules', '@types'), { recursive: true });
      await symlink(pathOf(''), join(app, 'node_modules', 'tiktok-publisher'));
      await symlink(pathOf('node_modules/@types/node'), join(app, 'node_modules', '@types', 'node'));
      const blocks = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code);
      expect(blocks.length).toBeGreaterThan(9);
      await writeFile(join(app, 'shown.mts'), blocks.join('\n') + READERS_PART);
      const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'NodeNext', '--target', 'ES2023'];
      const tsc = pathOf('node_modules/typescript/bin/tsc');
      const checked = run(process.execPath, [tsc, ...flags, '--types', 'node', 'shown.mts'], { cwd: app });
      const { stdout } = await checked.catch((failed: { stdout: string }) => failed);
      expect(stdout).toBe('');
    } finally {
      await rm(app, { recursive: true, force: true });
    }
  });
});
