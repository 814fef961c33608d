import type { BigIntStats } from 'node:fs';
import { MINUTE_MS } from '../core/units.ts';

/** POSIX counts `st_blocks` in units of 512 bytes on the systems that we know, whatever the block size of the disk. */
const BLOCK_BYTES = 512;
/** A small file may lie within its inode, and the last block may be cut: so much (bytes) may be missing. */
const SLACK_BYTES = 65_536;

type Allocation = Pick<BigIntStats, 'size' | 'blocks'>;

/**
 * Whether a file has holes and was written to within a minute: most likely a download or copy that made room for the
 * whole file first and now fills it in.
 *
 * @param now ms since the epoch
 */
export function isStillFilled(stats: Allocation & Pick<BigIntStats, 'mtimeMs'>, now: number): boolean {
  return missingBytes(stats) > SLACK_BYTES && Math.abs(now - Number(stats.mtimeMs)) < MINUTE_MS;
}

/**
 * What a person should know of a file that takes less room than it is long. It may be whole all the same: file systems
 * that compress show it too.
 */
export function remarkOnHoles(stats: Allocation): string | undefined {
  const missing = missingBytes(stats);
  if (missing <= SLACK_BYTES) return undefined;
  return `the file takes ${missing} bytes less on its disk than it is long: it has holes, or the disk compresses it`;
}

function missingBytes({ size, blocks }: Allocation): number {
  return Number(size) - Number(blocks) * BLOCK_BYTES;
}
