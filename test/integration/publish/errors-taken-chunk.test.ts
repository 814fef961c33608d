import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ErrorCode } from '../../../src/core/error-table.ts';
import { PublishError } from '../../../src/core/publish-error.ts';
import { HOUR_MS } from '../../../src/core/units.ts';
import type { TikTokClient } from '../../../src/tiktok/index.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { openCase } from '../../support/publish-case.ts';
import { makeVideo, sha256OfFile } from '../../support/videos.ts';

/** Cut into three chunks. */
const VIDEO_BYTES = 16_000_000;

/** TikTok takes the chunk, once, and answers as if it had not. */
function takingInSilence(
  tiktok: TikTokClient,
  isMeant: (isLast: boolean) => boolean,
  error: PublishError,
): TikTokClient {
  let isDone = false;
  return {
    ...tiktok,
    async putChunk(input) {
      const answer = await tiktok.putChunk(input);
      if (isDone || !isMeant(input.chunk.endByteExclusive === input.totalBytes)) return answer;
      isDone = true;
      throw error;
    },
  };
}

describe('a chunk that TikTok took although it answered otherwise', () => {
  let pipeline: Pipeline;
  let video: string;
  beforeAll(async () => {
    pipeline = await startPipeline({ workers: false, simulator: { processingMs: 20 } });
    video = await makeVideo(pipeline.folder, VIDEO_BYTES);
  });
  afterAll(() => pipeline.close());

  it.each<[code: ErrorCode, which: 'first' | 'last', waits: boolean]>([
    ['UPLOAD_UNEXPECTED_ANSWER', 'first', false],
    ['UPLOAD_UNEXPECTED_ANSWER', 'last', false],
    ['UPLOAD_SERVER_ERROR', 'last', false],
    ['UPLOAD_RATE_LIMITED', 'first', true],
    ['UPLOAD_RATE_LIMITED', 'last', true],
  ])('(%s to the %s) is published once, and reported as uploaded', async (code, which, waits) => {
    const { enqueueFile, noted, endWait, ended, posts, inits, publishes } = await openCase(pipeline);
    const error = new PublishError(code, waits ? { retryAfterMs: 12 * HOUR_MS } : {});
    const workers = await pipeline.startWorkersWith({
      tiktok: takingInSilence(pipeline.deps.tiktok, (isLast) => isLast === (which === 'last'), error),
    });
    onTestFinished(() => workers.close({ timeoutMs: 5_000 }));
    const enqueued = await enqueueFile(video);
    if (waits) {
      const waiting = await noted(enqueued, 'deferred', code);
      expect(waiting).toMatchObject({ state: 'uploading', waitingFor: 'rate_limit', attempts: 0 });
      await endWait('publish', enqueued.id);
    }
    const job = await ended(enqueued);
    expect(job).toMatchObject({ state: 'published', attempts: 0 });
    expect(job.progress).toEqual({ totalBytes: VIDEO_BYTES, sentBytes: VIDEO_BYTES, acceptedBytes: VIDEO_BYTES });
    expect(posts()).toMatchObject([{ sha256: await sha256OfFile(video) }]);
    expect([inits().length, publishes()[0]?.resentBytes]).toEqual([1, 0]);
    const types = (await pipeline.events()).filter(({ subject }) => subject === job.id).map(({ type }) => type);
    expect(types).toContain('publish.upload.completed');
  });
});
