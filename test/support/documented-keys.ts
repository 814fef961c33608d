import { readFile } from 'node:fs/promises';
import type { Keys } from '../../src/redis/keys.ts';
import type { RedisClient } from '../../src/redis/lua-script.ts';

/** A kind of key as docs/operations.md has it. */
export interface DocumentedKey {
  /** What follows the prefix, with `*` for what differs. */
  readonly pattern: string;
  readonly bound: string;
  readonly which: string;
}

/** The table of docs/operations.md. */
export async function documentedKeys(): Promise<DocumentedKey[]> {
  const page = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const [, section = ''] = /## What Redis holds[^\n]*\n([\s\S]*?)\n## /.exec(page) ?? [];
  const rows = [...section.matchAll(/^\| (`.*?) \|.*\| (.*?) \| ?(.*?) ?\|$/gm)];
  return rows.flatMap(([, names = '', bound = '', which = '']) =>
    [...names.matchAll(/`(.+?)`/g)].map(([, name = '']) => ({
      pattern: name.replace(/<.+?>/g, '*'),
      bound: bound.replaceAll('`', ''),
      which,
    })),
  );
}

/** The row of a key: of those that fit, the one that says most. */
export function rowOf(key: string, rows: readonly DocumentedKey[]): DocumentedKey | undefined {
  const fits = rows.filter(({ pattern }) => {
    const source = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.+');
    return new RegExp(`^${source}$`).test(key);
  });
  const literal = ({ pattern }: DocumentedKey) =>
    pattern.replaceAll('*', '').length + (pattern.endsWith('*') ? 0 : pattern.length);
  return fits.toSorted((one, other) => literal(other) - literal(one))[0];
}

/** The keys of an installation, without the prefix. */
export async function keysIn({ redis, keys }: { readonly redis: RedisClient; readonly keys: Keys }): Promise<string[]> {
  const all = await redis.keys(keys.pattern.replace(/[{}]/g, '?'));
  return all.map((key) => key.slice(keys.start.length)).sort();
}
