import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the repository. */
export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/** What one module imports. */
interface Import {
  /** As written: `zod`, `node:fs`, `../core/units.ts`. */
  readonly specifier: string;
  /** For a file of ours its path from the repository, such as `src/core/units.ts`. */
  readonly file: string | undefined;
  /** Whether it is gone at run time. */
  readonly isTypeOnly: boolean;
}

/** A source file as the architecture's rules see it. */
export interface SourceFile {
  /** From the repository, with slashes: `src/core/units.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text without its comments. */
  readonly code: string;
  readonly imports: readonly Import[];
}

/** Every TypeScript file below a folder of the repository, by path. */
export function sourceFiles(folder: 'src' | 'test'): readonly SourceFile[] {
  return readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .sort()
    .map(readSourceFile);
}

/** The folder right below `src` that a file is in. */
export function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** The package that a specifier names; undefined for files of ours and Node's own modules. */
export function packageOf(specifier: string): string | undefined {
  if (/^(\.|node:)/.test(specifier)) return undefined;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** A text file of the repository. */
export function readRepositoryFile(path: string): string {
  return readFileSync(join(REPOSITORY, path), 'utf8');
}

function readSourceFile(path: string): SourceFile {
  const text = readRepositoryFile(path);
  const code = withoutComments(text);
  return { path, text, code, imports: importsOf(path, code) };
}

/** Comments begin a line or follow a blank, as the formatter writes them; so `https://` in a text is none. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

function importsOf(path: string, code: string): Import[] {
  const statements = [...code.matchAll(/^(?:import|export)\s(?:([^;'"]*?)\sfrom\s)?['"]([^'"]+)['"]/gm)].map(
    ([, clause = '', specifier = '']) => ({ specifier, isTypeOnly: isTypeClause(clause) }),
  );
  const calls = [...code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)].map(([, specifier = '']) => ({
    specifier,
    isTypeOnly: false,
  }));
  return [...statements, ...calls].map((found) => ({ ...found, file: fileOf(path, found.specifier) }));
}

/** `type X` or `{ type X, type Y }`. */
function isTypeClause(clause: string): boolean {
  if (/^type\s/.test(clause)) return true;
  const names = /^\{([^}]*)\}$/.exec(clause.trim())?.[1];
  return names?.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type ')) ?? false;
}

function fileOf(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return relative(REPOSITORY, join(REPOSITORY, dirname(path), specifier)).replaceAll('\\', '/');
}
