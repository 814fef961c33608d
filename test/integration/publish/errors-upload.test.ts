import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, type ErrorCode } from '../../../src/core/error-table.ts';
import type { FaultAct, FaultRule, SimulatorOptions } from '../../../src/simulator/index.ts';
import { openCase, type PublishCase, retriedCodes } from '../../support/publish-case.ts';
import { type PublishWorld, usePublishWorld } from '../../support/publish-world.ts';
import { makeVideo } from '../../support/videos.ts';

/** Cut into three chunks, the last one the largest. */
const VIDEO_BYTES = 16_000_000;
const CHUNK_BYTES = 5_242_880;
const LAST_CHUNK_BYTES = VIDEO_BYTES - 2 * CHUNK_BYTES;

/** Short, and still longer than a busy machine may stand still. */
const STALL_MS = 5_000;

type When = NonNullable<FaultRule['when']>;
const POSITIONS: [name: string, when: When, chunkBytes: number][] = [
  ['first', { chunkIndex: 0 }, CHUNK_BYTES],
  ['middle', { chunkIndex: 1 }, CHUNK_BYTES],
  ['last', { lastChunk: true }, LAST_CHUNK_BYTES],
];

const answer = (httpStatus: number): FaultAct => ({ kind: 'status', httpStatus });

const useWorld = (switches: NonNullable<SimulatorOptions['switches']> = {}) =>
  usePublishWorld(VIDEO_BYTES, { simulator: { switches }, stallMs: STALL_MS });

/** Publishes and checks what must hold whatever went wrong: one post of exactly these bytes, one init. */
async function publishOnce(
  { video, sha256 }: PublishWorld,
  { enqueueFile, ended, posts, inits, publishes }: PublishCase,
) {
  const job = await ended(await enqueueFile(video));
  expect(job).toMatchObject({ state: 'published', failure: null, attempts: 0 });
  expect(posts()).toMatchObject([{ sha256, publishId: job.publishId }]);
  expect(job.postIds).toEqual([posts()[0]?.postId]);
  expect(inits()).toHaveLength(1);
  const [publish] = publishes();
  return { job, resentBytes: publish?.resentBytes ?? 0 };
}

describe('a chunk that does not get through', () => {
  const world = useWorld();

  const TROUBLES: [title: string, act: FaultAct, code: ErrorCode | undefined][] = [
    ['500', answer(500), 'UPLOAD_SERVER_ERROR'],
    ['502', answer(502), undefined],
    ['503', answer(503), undefined],
    ['504', answer(504), 'UPLOAD_SERVER_ERROR'],
    ['408', answer(408), 'UPLOAD_SERVER_ERROR'],
    ['409, which is not documented,', answer(409), 'UPLOAD_UNEXPECTED_ANSWER'],
    ['a connection broken before it', { kind: 'drop_before' }, undefined],
    ['a connection broken within it', { kind: 'drop_mid_body', afterBytes: 3_000_000 }, undefined],
    ['a connection broken after it was taken', { kind: 'drop_after' }, undefined],
    ['a stall within it', { kind: 'stall', afterBytes: 1_000_000 }, 'UPLOAD_STALLED'],
    ['no answer to it', { kind: 'stall_after' }, undefined],
    ['a late answer to it', { kind: 'delay', ms: 200 }, undefined],
  ];
  const CASES = TROUBLES.flatMap(([title, act, code]) =>
    POSITIONS.map(([name, when, chunkBytes]) => ({ title, name, act, when, chunkBytes, code })),
  );

  it.concurrent('at the end, with its answer lost and the status unreachable too, makes no second post', async () => {
    const publishCase = await openCase(world().pipeline);
    publishCase.fault('upload', { kind: 'drop_after' }, { lastChunk: true });
    publishCase.fault('status', { kind: 'drop_before' }, { times: 3 });
    const { resentBytes } = await publishOnce(world(), publishCase);
    expect(resentBytes).toBeLessThanOrEqual(2 * LAST_CHUNK_BYTES);
  });

  it.concurrent('at the end, with its answer lost, is asked about, and not a byte is sent again', async () => {
    const publishCase = await openCase(world().pipeline);
    publishCase.fault('upload', { kind: 'drop_after' }, { lastChunk: true });
    const { resentBytes } = await publishOnce(world(), publishCase);
    expect(resentBytes).toBe(0);
    expect(publishCase.requests('upload')).toHaveLength(3);
  });

  it.concurrent('at the end of a draft, with its answer lost, delivers it once', async () => {
    const { fault, enqueueFile, ended, publishes } = await openCase(world().pipeline);
    fault('upload', { kind: 'drop_after' }, { lastChunk: true });
    expect(await ended(await enqueueFile(world().video, 'inbox'))).toMatchObject({ state: 'in_inbox' });
    expect(publishes()).toMatchObject([{ kind: 'inbox', resentBytes: 0, sha256: world().sha256 }]);
  });

  it.concurrent.each(CASES)('because of $title on the $name chunk is sent at most twice', async (trouble) => {
    const { act, when, chunkBytes, code } = trouble;
    const publishCase = await openCase(world().pipeline);
    const fault = publishCase.fault('upload', act, when);
    const { job, resentBytes } = await publishOnce(world(), publishCase);
    expect(fault.fired).toBe(1);
    expect(resentBytes).toBeLessThanOrEqual(chunkBytes);
    const retried = retriedCodes(job);
    // A chunk that was taken in silence is settled by asking or by a 416, any other may need the queue's backoff.
    if (code === undefined) expect(retried.filter((retriedCode) => retriedCode !== 'UPLOAD_STALLED')).toEqual([]);
    else expect(retried).toEqual([code]);
  });

  it.concurrent.each(POSITIONS)(
    'because of 429 on the %s chunk waits, burns no attempt, and is sent once more',
    async (...position) => {
      const [, when, chunkBytes] = position;
      const { fault, enqueueFile, noted, endWait, ended, posts, publishes, inits } = await openCase(world().pipeline);
      fault('upload', answer(429), when);
      const enqueued = await enqueueFile(world().video);
      const waiting = await noted(enqueued, 'deferred', 'UPLOAD_RATE_LIMITED');
      expect(waiting).toMatchObject({ state: 'uploading', waitingFor: 'rate_limit', attempts: 0, failure: null });
      await endWait('publish', enqueued.id);
      expect(await ended(enqueued)).toMatchObject({ state: 'published', waitingFor: null, attempts: 0 });
      expect(posts()).toMatchObject([{ sha256: world().sha256 }]);
      expect(inits()).toHaveLength(1);
      expect(publishes()[0]?.resentBytes).toBeLessThanOrEqual(chunkBytes);
    },
  );

  it.concurrent('is sent again after a 416 that tells nothing', async () => {
    const publishCase = await openCase(world().pipeline);
    publishCase.fault('upload', answer(416), { chunkIndex: 1 });
    const { job, resentBytes } = await publishOnce(world(), publishCase);
    expect(retriedCodes(job)).toEqual(['UPLOAD_OFFSET_MISMATCH']);
    expect(resentBytes).toBeLessThanOrEqual(CHUNK_BYTES);
  });

  it.concurrent('is sent after all when a 200 was a lie', async () => {
    const publishCase = await openCase(world().pipeline);
    publishCase.fault('upload', { kind: 'raw', httpStatus: 200, body: '' }, { chunkIndex: 1 });
    const { resentBytes } = await publishOnce(world(), publishCase);
    expect(resentBytes).toBeLessThanOrEqual(CHUNK_BYTES + LAST_CHUNK_BYTES);
  });

  it.concurrent('is asked about when 201 comes too early', async () => {
    const publishCase = await openCase(world().pipeline);
    publishCase.fault('upload', { kind: 'raw', httpStatus: 201, body: '' }, { chunkIndex: 1 });
    const { job } = await publishOnce(world(), publishCase);
    expect(retriedCodes(job)).toEqual(['UPLOAD_UNEXPECTED_ANSWER']);
  });

  it.concurrent('never follows a redirect', async () => {
    const visits: string[] = [];
    const elsewhere = createServer((request, response) => {
      visits.push(request.url ?? '');
      request.resume();
      response.writeHead(201).end();
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const { port } = elsewhere.address() as AddressInfo;
    for (const httpStatus of [302, 307]) {
      const publishCase = await openCase(world().pipeline);
      const location = `http://127.0.0.1:${port}/video`;
      publishCase.fault('upload', { kind: 'raw', httpStatus, body: '', headers: { location } }, { chunkIndex: 1 });
      const { job } = await publishOnce(world(), publishCase);
      expect(retriedCodes(job)).toEqual(['UPLOAD_UNEXPECTED_ANSWER']);
    }
    expect(visits).toEqual([]);
    await new Promise((resolve) => elsewhere.close(resolve));
  });

  it.concurrent('survives three troubles in a row, since each accepted chunk starts the attempts anew', async () => {
    const publishCase = await openCase(world().pipeline);
    for (const [, when] of POSITIONS) publishCase.fault('upload', answer(500), { ...when, times: 2 });
    const { job } = await publishOnce(world(), publishCase);
    expect(retriedCodes(job)).toHaveLength(6);
  });

  it.concurrent('is not sent for ever when the answers report no progress', async () => {
    const { fault, enqueueFile, ended, posts, publishes } = await openCase(world().pipeline);
    const headers = { 'content-range': `bytes 0-${CHUNK_BYTES - 1}/${VIDEO_BYTES}` };
    fault('upload', { kind: 'raw', httpStatus: 206, body: '', headers }, { chunkIndex: 1, times: 'always' });
    const job = await ended(await enqueueFile(world().video));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'UPLOAD_OFFSET_MISMATCH', retryable: true } });
    expect(posts()).toEqual([]);
    expect(publishes()[0]?.resentBytes).toBeLessThan(30 * CHUNK_BYTES);
  });
});

describe('an upload that TikTok no longer takes', () => {
  const world = useWorld({ abandonedUploadFailsAfterMs: 60_000 });

  const GONE: [httpStatus: number, code: ErrorCode][] = [
    [403, 'UPLOAD_URL_EXPIRED'],
    [404, 'UPLOAD_TASK_MISSING'],
  ];
  const CASES = GONE.flatMap(([httpStatus, code]) =>
    POSITIONS.map(([name, when]) => ({ httpStatus, code, name, when })),
  );

  it.concurrent.each(CASES)('with $httpStatus on the $name chunk restarts once', async ({ httpStatus, code, when }) => {
    const { fault, enqueueFile, ended, inits, posts, publishes } = await openCase(world().pipeline);
    fault('upload', answer(httpStatus), when);
    const job = await ended(await enqueueFile(world().video));
    expect(job).toMatchObject({ state: 'published', failure: null });
    expect(retriedCodes(job)).toEqual([code]);
    expect(inits()).toHaveLength(2);
    expect(posts()).toMatchObject([{ sha256: world().sha256, publishId: job.publishId }]);
    expect(publishes().map(({ completeUploads }) => completeUploads)).toEqual([0, 1]);
  });

  it.concurrent.each(GONE)('with %i on the only chunk restarts once', async (httpStatus, code) => {
    const { fault, enqueueFile, ended, inits, posts } = await openCase(world().pipeline);
    const video = await makeVideo(world().pipeline.folder, 50_000, `only-${httpStatus}.mp4`);
    fault('upload', answer(httpStatus));
    const job = await ended(await enqueueFile(video));
    expect(job).toMatchObject({ state: 'published', failure: null });
    expect(retriedCodes(job)).toEqual([code]);
    expect([inits().length, posts().length]).toEqual([2, 1]);
  });

  it.concurrent('although it took everything is not begun again', async () => {
    const { fault, enqueueFile, ended, inits, posts } = await openCase(world().pipeline);
    fault('upload', { kind: 'drop_after' }, { lastChunk: true });
    fault('status', answer(500), { nth: 1 });
    fault('upload', answer(404), { lastChunk: true });
    const job = await ended(await enqueueFile(world().video));
    expect(job).toMatchObject({ state: 'published', failure: null });
    expect([inits().length, posts().length]).toEqual([1, 1]);
  });

  it.concurrent('again and again fails in the end', async () => {
    const { fault, enqueueFile, ended, inits, posts } = await openCase(world().pipeline);
    fault('upload', answer(404), { chunkIndex: 1, times: 'always' });
    const job = await ended(await enqueueFile(world().video));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'UPLOAD_TASK_MISSING', retryable: true } });
    expect(inits().length).toBeLessThanOrEqual(6);
    expect(posts()).toEqual([]);
  });

  it.concurrent.each(POSITIONS)('with 400 on the %s chunk fails', async (_name, when) => {
    const { fault, enqueueFile, ended, inits, posts } = await openCase(world().pipeline);
    fault('upload', answer(400), when);
    const job = await ended(await enqueueFile(world().video));
    const { advice } = ERROR_TABLE.UPLOAD_CHUNK_REFUSED;
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'UPLOAD_CHUNK_REFUSED', advice } });
    expect([inits().length, posts().length]).toEqual([1, 0]);
  });

  it.concurrent('with 400 on the only chunk fails', async () => {
    const { fault, enqueueFile, ended, inits, posts } = await openCase(world().pipeline);
    const video = await makeVideo(world().pipeline.folder, 50_000, 'only-400.mp4');
    fault('upload', answer(400));
    const job = await ended(await enqueueFile(video));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'UPLOAD_CHUNK_REFUSED' } });
    expect([inits().length, posts().length]).toEqual([1, 0]);
  });
});

/** What TikTok's documentation leaves open must not matter. */
describe.each<[title: string, switches: NonNullable<SimulatorOptions['switches']>]>([
  ['reports a count', { contentRangeReading: 'count' }],
  ['says nothing with a 416', { contentRangeOn416: 'absent' }],
  ['takes a chunk twice', { repeatedChunk: 'success' }],
  ['shows all status fields', { statusFields: 'all', contentRangeReading: 'count', contentRangeOn416: 'absent' }],
])('a TikTok that %s', (_title, switches) => {
  const world = useWorld(switches);

  it.concurrent.each(POSITIONS)(
    'gets the %s chunk right after its answer was lost',
    async (_name, when, chunkBytes) => {
      const publishCase = await openCase(world().pipeline);
      publishCase.fault('upload', { kind: 'drop_after' }, when);
      const { job, resentBytes } = await publishOnce(world(), publishCase);
      expect(resentBytes).toBeLessThanOrEqual(chunkBytes);
      expect(retriedCodes(job)).toEqual([]);
    },
  );

  it.concurrent.each(POSITIONS)('goes on at the %s chunk after a backoff', async (_name, when, chunkBytes) => {
    const publishCase = await openCase(world().pipeline);
    publishCase.fault('upload', answer(500), when);
    const { job, resentBytes } = await publishOnce(world(), publishCase);
    expect(resentBytes).toBeLessThanOrEqual(chunkBytes);
    expect(retriedCodes(job)).toEqual(['UPLOAD_SERVER_ERROR']);
  });
});
