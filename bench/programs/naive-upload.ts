import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { chunkAt, planChunks } from '../../src/core/chunk-plan.ts';
import { formatContentRange } from '../../src/core/content-range.ts';
import type { UploadSettings } from '../upload-lab.ts';
import { measured, serveParent, settingsOf } from './parent.ts';

/* What one would write first: the same chunks by `fetch`, from the file as a whole or as a stream. */

const { media, chunkSizeBytes, tiktokUrl, way } = settingsOf<UploadSettings & { media: { path: string } }>();
const { path } = media;

async function upload(): Promise<void> {
  const { size } = await stat(path);
  const plan = planChunks(size, chunkSizeBytes);
  const file = way === 'whole' ? await readFile(path) : undefined;
  for (let index = 0; index < plan.chunkCount; index += 1) {
    const { startByte, endByteExclusive } = chunkAt(plan, index);
    const headers = {
      'content-type': 'video/mp4',
      'content-length': String(endByteExclusive - startByte),
      'content-range': formatContentRange(startByte, endByteExclusive, size),
    };
    const body =
      file?.subarray(startByte, endByteExclusive) ??
      createReadStream(path, { start: startByte, end: endByteExclusive - 1 });
    const answer = await fetch(`${tiktokUrl}/upload/`, { method: 'PUT', headers, body, duplex: 'half' });
    await answer.arrayBuffer();
  }
}

serveParent({ upload: () => measured(upload) });
