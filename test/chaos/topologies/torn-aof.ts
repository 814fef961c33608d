import { appendFile, readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { RedisNode } from './redis-node.ts';

/** A command that was under way when the machine went down. */
const UNFINISHED = `*3\r\n$3\r\nSET\r\n$13\r\n{chaos}:noise\r\n$2000\r\n${'x'.repeat(2_000)}\r\n`;

/**
 * Leaves a killed node's append-only file as a crash of its machine can:
 *
 * - `unfinished`: the last command is there in part. Nobody was told that it was done, so nothing is lost
 * - `unsynced`: the last bytes are gone, with what was acknowledged and not yet fsynced (`everysec`). A node that comes
 *   back as a master then has lost it, whatever one does; so this is for masters that are replaced before they return
 */
export async function tearAof({ folder }: RedisNode, how: 'unfinished' | 'unsynced', bytes: number): Promise<void> {
  const dir = join(folder, 'appendonlydir');
  const parts = (await readdir(dir)).filter((name) => name.endsWith('.incr.aof'));
  const newest = parts.sort((a, b) => numberOf(a) - numberOf(b)).at(-1);
  if (newest === undefined) return;
  const path = join(dir, newest);
  if (how === 'unfinished') {
    await appendFile(path, UNFINISHED.slice(0, 1 + (bytes % (UNFINISHED.length - 1))));
  } else {
    const { size } = await stat(path);
    await truncate(path, Math.max(0, size - bytes));
  }
}

function numberOf(name: string): number {
  return Number(/\.(\d+)\.incr\.aof$/.exec(name)?.[1] ?? 0);
}
