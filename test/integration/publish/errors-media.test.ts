import { appendFile, mkdir, open, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERROR_TABLE, type ErrorCode } from '../../../src/core/error-table.ts';
import type { MediaSource } from '../../../src/core/ports.ts';
import { PublishError } from '../../../src/core/publish-error.ts';
import { openFileSource } from '../../../src/media/file-source.ts';
import type { WorkerDeps } from '../../../src/workers/deps.ts';
import { PATIENTLY } from '../../support/eventually.ts';
import { startWriter } from '../../support/file-writer.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { openCase, retriedCodes } from '../../support/publish-case.ts';
import { makeVideo, sha256OfFile } from '../../support/videos.ts';

let pipeline: Pipeline;

beforeAll(async () => {
  pipeline = await startPipeline({
    simulator: { processingMs: 20, switches: { abandonedUploadFailsAfterMs: 4_000 } },
  });
});

afterAll(async () => {
  await pipeline.close();
});

describe('a file that cannot be published', () => {
  it.concurrent.each<[what: string, code: ErrorCode, make: (path: string) => Promise<unknown>]>([
    ['is missing', 'INPUT_MEDIA_NOT_FOUND', async () => undefined],
    ['is a directory', 'INPUT_MEDIA_NOT_A_FILE', (path) => mkdir(path)],
    ['is empty', 'INPUT_MEDIA_EMPTY', (path) => writeFile(path, '')],
    ['is text', 'INPUT_MEDIA_CONTAINER_UNSUPPORTED', (path) => writeFile(path, 'not a video at all, just words')],
    [
      'is Matroska',
      'INPUT_MEDIA_CONTAINER_UNSUPPORTED',
      (path) => writeFile(path, Buffer.from('1a45dfa3934282886d6174726f736b61', 'hex')),
    ],
    [
      'is one byte too large',
      'INPUT_MEDIA_TOO_LARGE',
      async (path) => {
        await makeVideo(dirname(path), 1_000, basename(path));
        // Sparse: it takes no room on the disk.
        await truncate(path, 4_000_000_001);
      },
    ],
  ])('because it %s fails as %s before TikTok hears of it', async (what, code, make) => {
    const { enqueueFile, ended, inits, requests } = await openCase(pipeline);
    const path = join(pipeline.folder, `bad-${what.replaceAll(' ', '-')}.mp4`);
    await make(path);
    const job = await ended(await enqueueFile(path));
    const { advice, retryable } = ERROR_TABLE[code];
    expect(job).toMatchObject({ state: 'failed', attempts: 0, failure: { code, advice, retryable } });
    expect(job.failure?.message).toContain(path);
    expect([inits().length, requests('upload').length]).toEqual([0, 0]);
  });
});

/** Waits until the first byte of a user's upload has come in. */
async function firstByte(openId: string): Promise<void> {
  const { journal } = pipeline.simulator;
  const init = await journal.waitFor((entry) => entry.endpoint === 'video_init' && entry.openId === openId, PATIENTLY);
  await journal.waitForReceived(init.publishId ?? '', 1, PATIENTLY);
}

describe('a file that changes during the upload', () => {
  type Change = [title: string, change: (path: string) => Promise<unknown>];
  const CHANGES: Change[] = [
    ['appended to', (path) => appendFile(path, 'more')],
    ['truncated', (path) => truncate(path, 1_000)],
    ['removed', (path) => rm(path)],
    [
      'replaced by another of the same size',
      async (path) => {
        await rename(await makeVideo(pipeline.folder, 12_000_000, `new-${basename(path)}`), path);
      },
    ],
    [
      'overwritten in place',
      async (path) => {
        const file = await open(path, 'r+');
        await file.write(Buffer.alloc(1_000), 0, 1_000, 11_000_000);
        await file.close();
      },
    ],
  ];

  it.concurrent.each(CHANGES)('is not posted when it is %s', async (title, change) => {
    const { openId, fault, enqueueFile, ended, requests, inits, posts, publishes } = await openCase(pipeline);
    const path = await makeVideo(pipeline.folder, 12_000_000, `${title.replaceAll(' ', '-')}.mp4`);
    fault('upload', { kind: 'slow_read', bytesPerSecond: 10_000_000 }, { chunkIndex: 0 });
    const enqueued = await enqueueFile(path);
    await firstByte(openId);
    await change(path);
    const job = await ended(enqueued);
    // One that was begun anew meanwhile, as after a lost lock, finds no file.
    const codes = ['INPUT_MEDIA_CHANGED', ...(title === 'removed' ? ['INPUT_MEDIA_NOT_FOUND'] : [])];
    expect(job).toMatchObject({ state: 'failed', failure: { code: expect.toBeOneOf(codes), retryable: true } });
    expect([inits().length, posts().length]).toEqual([1, 0]);
    expect(publishes().map(({ completeUploads }) => completeUploads)).toEqual([0]);
    expect(requests('upload').filter(({ chunk }) => chunk?.accepted).length).toBeLessThan(2);
  });

  it.concurrent('is not posted when it fits one chunk either', async () => {
    const { openId, fault, enqueueFile, ended, inits, posts } = await openCase(pipeline);
    const path = await makeVideo(pipeline.folder, 10_000_000, 'single-chunk.mp4');
    fault('upload', { kind: 'stall', afterBytes: 1, ms: 400 });
    const enqueued = await enqueueFile(path);
    await firstByte(openId);
    await appendFile(path, 'more');
    const job = await ended(enqueued);
    const { advice } = ERROR_TABLE.INPUT_MEDIA_CHANGED;
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'INPUT_MEDIA_CHANGED', advice } });
    expect([inits().length, posts().length]).toEqual([1, 0]);
  });

  it.concurrent.each([
    ['middle', 16_000_000],
    ['last', 12_000_000],
  ])('between two attempts at the %s chunk is not posted, neither mixed nor anew', async (name, sizeBytes) => {
    const { fault, enqueueFile, ended, noted, inits, posts } = await openCase(pipeline);
    const path = await makeVideo(pipeline.folder, sizeBytes, `between-${name}.mp4`);
    fault('upload', { kind: 'status', httpStatus: 500 }, { chunkIndex: 1 });
    fault('status', { kind: 'delay', ms: 300 });
    const enqueued = await enqueueFile(path);
    await noted(enqueued, 'attempt_failed', 'UPLOAD_SERVER_ERROR');
    await appendFile(path, 'more');
    const job = await ended(enqueued);
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'INPUT_MEDIA_CHANGED' } });
    expect([inits().length, posts().length]).toEqual([1, 0]);
  });

  it.concurrent('only before its job begins is posted as it is then', async () => {
    const { enqueueFile, ended, posts } = await openCase(pipeline);
    const path = await makeVideo(pipeline.folder, 1_000, 'before.mp4');
    await appendFile(path, 'more');
    await utimes(path, 1, 1);
    expect(await ended(await enqueueFile(path))).toMatchObject({ state: 'published' });
    expect(posts()).toMatchObject([{ sha256: await sha256OfFile(path) }]);
  });
});

describe('a file that is still being written', () => {
  it.concurrent('is published once it is whole, and costs one init', async () => {
    const own = await startPipeline({ retries: { maxAttempts: 100, baseMs: 300, factor: 1, maxMs: 300 } });
    const { enqueueFile, ended, noted, inits, posts } = await openCase(own);
    const path = await makeVideo(own.folder, 6_000_000, 'export.mp4');
    const writer = await startWriter(path);
    const enqueued = await enqueueFile(path);
    await noted(enqueued, 'attempt_failed', 'INPUT_MEDIA_BEING_WRITTEN');
    await writer.stop();
    const job = await ended(enqueued);
    expect(job).toMatchObject({ state: 'published', failure: null });
    expect(inits()).toHaveLength(1);
    expect(posts()).toMatchObject([{ sha256: await sha256OfFile(path) }]);
    await own.close();
  });

  it.concurrent.each<[what: string, change: (path: string) => Promise<unknown>]>([
    ['grows', (path) => appendFile(path, 'more')],
    ['shrinks', (path) => truncate(path, 4_000_000)],
    ['is replaced', async (path) => rename(await makeVideo(dirname(path), 5_000_000, `new-${basename(path)}`), path)],
  ])('or %s while it is looked at is published as it is then', async (what, change) => {
    let looks = 0;
    const own = await startPipeline({
      onDuplicate: 'warn',
      openMedia: async (media) => {
        if (media.type !== 'file') throw new Error('only files are opened');
        const source = await openFileSource(media.path);
        looks += 1;
        if (looks === 1) await change(media.path);
        return source;
      },
    });
    const { enqueueFile, ended, inits, posts } = await openCase(own);
    const path = await makeVideo(own.folder, 6_000_000, `${what.replaceAll(' ', '-')}.mp4`);
    const job = await ended(await enqueueFile(path));
    expect(job).toMatchObject({ state: 'published' });
    expect(retriedCodes(job)).toEqual(['INPUT_MEDIA_BEING_WRITTEN']);
    expect(inits()).toHaveLength(1);
    expect(posts()).toMatchObject([{ sha256: await sha256OfFile(path) }]);
    await own.close();
  });
});

describe('a worker whose disk or program fails', () => {
  /** Publishes a file on workers whose `openMedia` is another. */
  async function publishWith(openMedia: WorkerDeps['openMedia']) {
    const own = await startPipeline({ workers: false, simulator: { processingMs: 20 } });
    await own.startWorkersWith({ openMedia });
    try {
      const { enqueueFile, ended, inits } = await openCase(own);
      const path = await makeVideo(own.folder, 1_000);
      return { job: await ended(await enqueueFile(path)), initCount: inits().length };
    } finally {
      await own.close();
    }
  }

  it.concurrent('says that the file may not be read', async () => {
    const { job, initCount } = await publishWith(async () => {
      throw new PublishError('INPUT_MEDIA_NOT_READABLE', { reason: 'the file cannot be read (EACCES): /v.mp4' });
    });
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'INPUT_MEDIA_NOT_READABLE', retryable: true } });
    expect(initCount).toBe(0);
  });

  const stale = new PublishError('TRANSPORT_MEDIA_DISK', { reason: 'the disk or share … (ESTALE): /v.mp4' });

  it.concurrent.each<[when: string, gone: Partial<MediaSource>]>([
    ['before the upload', { verifyUnchanged: () => Promise.reject(stale) }],
    [
      'in the midst of it',
      {
        read: async function* () {
          yield Buffer.alloc(10);
          throw stale;
        },
      },
    ],
  ])('tries again when a network share goes away %s, and then goes on', async (_when, gone) => {
    let opened = 0;
    const { job, initCount } = await publishWith(async (media) => {
      if (media.type !== 'file') throw new Error('only files are opened');
      opened += 1;
      const source = await openFileSource(media.path);
      return opened === 1 ? { ...source, ...gone } : source;
    });
    expect(job).toMatchObject({ state: 'published', failure: null });
    expect(retriedCodes(job)).toEqual(['TRANSPORT_MEDIA_DISK']);
    expect(initCount).toBe(1);
  });

  it.concurrent('says when a file lies outside of the folders that may be published from', async () => {
    const { job } = await publishWith(async () => {
      throw new PublishError('INPUT_MEDIA_OUTSIDE_ROOTS');
    });
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'INPUT_MEDIA_OUTSIDE_ROOTS', retryable: false } });
  });

  it.concurrent('retries what nobody foresaw, then fails without its words, which may hold secrets', async () => {
    const { job, initCount } = await publishWith(async () => {
      throw new TypeError('cannot read act.secret of undefined');
    });
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'INTERNAL_ERROR', retryable: true } });
    expect(retriedCodes(job)).toEqual(['INTERNAL_ERROR', 'INTERNAL_ERROR', 'INTERNAL_ERROR']);
    expect(JSON.stringify(job)).not.toContain('act.secret');
    expect(initCount).toBe(0);
  });
});
