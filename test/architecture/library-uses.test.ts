import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { REPOSITORY, readRepositoryFile } from './source-files.ts';

const TSC = join(REPOSITORY, 'node_modules/typescript/bin/tsc');

/** As apps have them: nothing but `strict`, and the strictest there is. */
const SETTINGS = [[], ['--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess']];

const USES = readRepositoryFile('test/support/library-uses.ts')
  .replace('../../src/producers/index.ts', 'tiktok-publisher')
  .replaceAll(/\.\.\/\.\.\/src\/(\w+)\/index\.ts/g, 'tiktok-publisher/$1');

describe('the types of the built package', () => {
  it.each(SETTINGS)('fit good uses and refuse bad ones: %j', { timeout: 120_000 }, async (...settings) => {
    const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-types-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await mkdir(join(folder, 'node_modules'));
    await symlink(REPOSITORY, join(folder, 'node_modules/tiktok-publisher'));
    for (const name of ['vitest', '@types']) {
      await symlink(join(REPOSITORY, 'node_modules', name), join(folder, 'node_modules', name));
    }
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    await writeFile(join(folder, 'uses.ts'), USES);
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext'];
    const found = await promisify(execFile)(
      process.execPath,
      [TSC, ...options, '--lib', 'es2022', '--types', 'node', ...settings, 'uses.ts'],
      { cwd: folder },
    ).catch((error: { stdout: string }) => error);
    expect(found.stdout).toBe('');
  });

  it.each(['producers', 'workers', 'simulator'])('say of each field of %s what it is', (room) => {
    const exported = exportsOf(`src/${room}/index.ts`);
    expect(exported.length).toBeGreaterThan(3);
    expect(exported.flatMap(fieldsWithoutComment)).toEqual([]);
  });
});

interface Exported {
  /** Where it is declared. */
  readonly file: string;
  readonly name: string;
}

/** What an entry point exports, by the names in the files that declare them. */
function exportsOf(entry: string): Exported[] {
  const text = readRepositoryFile(entry);
  const own = [...text.matchAll(/^export interface (\w+)/gm)].map(([, name = '']) => ({ file: entry, name }));
  const passedOn = [...text.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)'/gm)];
  return [
    ...own,
    ...passedOn.flatMap(([, list = '', from = '']) =>
      [...list.matchAll(/(?:^|,)\s*(?:type )?(\w+)/g)].map(([, name = '']) => ({
        file: join(dirname(entry), from),
        name,
      })),
    ),
  ];
}

/** Lines of an interface that declare a field and follow no comment. */
function fieldsWithoutComment({ file, name }: Exported): string[] {
  const declaration = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, 'm');
  const lines = (declaration.exec(readRepositoryFile(file))?.[1] ?? '').split('\n');
  return lines.flatMap((line, index) => {
    const isField = /^ {2}(?:readonly )?[\w[][\w.\]]*(?:\?|\(|:|<)/.test(line);
    return isField && !/\*\/\s*$/.test(lines[index - 1] ?? '') ? [`${file}: ${name}: ${line.trim()}`] : [];
  });
}
