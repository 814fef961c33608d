import { statfs } from 'node:fs/promises';
import { GIGABYTE_BYTES } from '../../core/units.ts';
import { bytesText } from '../quantity-text.ts';
import type { Finding } from './finding.ts';

/** A Redis that cannot write its file refuses every change; rewriting it takes its size once more. */
const ADVICE_BELOW_BYTES = 2 * GIGABYTE_BYTES;
const PROBLEM_BELOW_BYTES = GIGABYTE_BYTES / 5;

/** Whether the disk of our own Redis has room. @param freeBytesOf told by the system unless a test says otherwise */
export async function diskFindings(dataDir: string, freeBytesOf = readFreeBytes): Promise<Finding[]> {
  const freeBytes = await freeBytesOf(dataDir);
  if (freeBytes >= ADVICE_BELOW_BYTES) return [];
  return [
    {
      check: 'redis',
      level: freeBytes < PROBLEM_BELOW_BYTES ? 'problem' : 'advice',
      message: `the disk of DATA_DIR has only ${bytesText(freeBytes)} left; when it is full, Redis rejects all writes`,
      fix: 'Free some space, or move DATA_DIR to a larger disk.',
    },
  ];
}

async function readFreeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
