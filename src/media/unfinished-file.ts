import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { PublishError } from '../core/publish-error.ts';
import { MINUTE_MS } from '../core/units.ts';
import { explained } from './file-error.ts';

/** Whoever writes a file goes on within this time (ms), or is done. */
const QUIET_MS = 100;
/** Whoever fills the holes of a file goes on within this time (ms), or leaves them. */
const FILL_MS = MINUTE_MS;
/** POSIX counts `st_blocks` in units of 512 bytes on the systems that we know, whatever the block size of the disk. */
const BLOCK_BYTES = 512;
/** A small file may lie within its inode, and the last block may be cut: so much (bytes) may be missing. */
const SLACK_BYTES = 65_536;

/**
 * Refuses a file that somebody is writing: one that was written to a moment ago and is again while we wait that moment,
 * or one with holes, as of a download that makes room first, that was written to within a minute.
 * @throws PublishError `INPUT_MEDIA_BEING_WRITTEN`
 */
export async function refuseUnfinished(path: string, handle: FileHandle, stats: BigIntStats): Promise<void> {
  // A file server's clock may be ahead of ours.
  const sinceWrittenMs = Math.abs(Date.now() - Number(stats.mtimeMs));
  if (missingBytes(stats) > SLACK_BYTES && sinceWrittenMs < FILL_MS) {
    throw beingWritten(`the file has holes and was changed less than a minute ago: ${path}`);
  }
  if (sinceWrittenMs >= QUIET_MS) return;
  await setTimeout(QUIET_MS - sinceWrittenMs);
  const now = await explained(path, () => handle.stat({ bigint: true }));
  if (now.size !== stats.size || now.mtimeNs !== stats.mtimeNs) {
    throw beingWritten(`the file is being written to, ${now.size} bytes so far: ${path}`);
  }
}

/**
 * What a person should know of a file that takes less room than it is long. It may be whole all the same: file systems
 * that compress show it too.
 */
export function remarkOnHoles(stats: Pick<BigIntStats, 'size' | 'blocks'>): string | undefined {
  const missing = missingBytes(stats);
  if (missing <= SLACK_BYTES) return undefined;
  return `the file uses ${missing} bytes less on disk than its size: it has holes, or the disk compresses it`;
}

function missingBytes({ size, blocks }: Pick<BigIntStats, 'size' | 'blocks'>): number {
  return Number(size) - Number(blocks) * BLOCK_BYTES;
}

function beingWritten(reason: string): PublishError {
  return new PublishError('INPUT_MEDIA_BEING_WRITTEN', { reason });
}
