import { execFile } from 'node:child_process';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ChunkPlan, chunkAt } from '../src/core/chunk-plan.ts';
import { formatContentRange } from '../src/core/content-range.ts';
import type { Cost } from './programs/parent.ts';

const run = promisify(execFile);

/**
 * The baseline: one curl that PUTs the same chunks over one connection. It can't send a part of a file, so each chunk
 * lies in a file of its own.
 */
export async function prepareCurl(folder: string, plan: ChunkPlan, { url, ca }: { url: string; ca: string }) {
  await mkdir(folder);
  const requests = Array.from({ length: plan.chunkCount }, async (_, index) => {
    const { startByte, endByteExclusive } = chunkAt(plan, index);
    const path = join(folder, String(index));
    await writeFile(path, '');
    await truncate(path, endByteExclusive - startByte);
    return [
      ...[`url = "${url}"`, `upload-file = "${path}"`, `cacert = "${ca}"`, 'header = "content-type: video/mp4"'],
      `header = "content-range: ${formatContentRange(startByte, endByteExclusive, plan.totalBytes)}"`,
      // Otherwise it waits for a word of the server before each chunk.
      ...['header = "expect:"', 'silent', 'show-error', 'fail', 'output = "/dev/null"'],
    ].join('\n');
  });
  const config = join(folder, 'curl.conf');
  await writeFile(config, `fail-early\n${(await Promise.all(requests)).join('\nnext\n')}\n`);
  return async (): Promise<Cost> => {
    const { stderr } = await run('bash', ['-c', 'TIMEFORMAT="%R %U %S"; time curl --config "$0"', config]);
    const [seconds = 0, user = 0, system = 0] = stderr.trim().split(' ').map(Number);
    return { ms: seconds * 1_000, cpuMs: (user + system) * 1_000 };
  };
}
