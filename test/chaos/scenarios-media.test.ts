import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { createBucket } from '../support/s3-bucket.ts';
import { hasSwift, SWIFT_CREDENTIALS, type SwiftServer, startSwift } from '../support/swift-server.ts';
import { sha256OfFile } from '../support/videos.ts';
import { CHUNK_BYTES, isTrapped, type Scene, startScene } from './scene.ts';
import type { Trap } from './traps.ts';

async function start(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  options?: Parameters<typeof startScene>[0],
): Promise<Scene> {
  const scene = await startScene(options);
  onTestFinished(() => scene.close());
  return scene;
}

/** Nothing larger comes out of a socket at once. */
const PIECE_BYTES = 131_072;
const insideChunk = (nth: number, afterBytes: number, action: Trap['action']): Trap => ({
  ...{ step: 'put', moment: 'during', nth, afterBytes, action },
});

async function pathAndDigest({ media }: Awaited<ReturnType<Scene['fileRequest']>>) {
  const path = media.type === 'file' ? media.path : '';
  return { path, sha256: await sha256OfFile(path) };
}

describe.concurrent('a worker that uploads from a URL', () => {
  it('and is killed inside a chunk is followed by one that goes on, and fetches nothing again', async (test) => {
    const { worker, publisher, fileRequest, via, web, outcomeOf, atTikTok } = await start(test);
    const file = await fileRequest();
    const { path, sha256 } = await pathAndDigest(file);
    const first = await worker(insideChunk(2, 3_000_001, 'kill'));
    const { id } = await publisher.enqueue(via(file, 'url'));
    await first.ended;
    const askedBefore = web.ranges.length;
    await worker();
    expect(await outcomeOf(id)).toMatchObject({ state: 'published', attempts: 0 });
    const { publishes, puts, resentBytes } = atTikTok();
    expect(publishes).toMatchObject([{ sha256, completeUploads: 1 }]);
    expect(puts.map(({ chunk }) => chunk?.startByte)).toEqual([0, CHUNK_BYTES, CHUNK_BYTES, 2 * CHUNK_BYTES]);
    expect(resentBytes).toBeLessThanOrEqual(CHUNK_BYTES);
    const chunksAfter = web.ranges
      .slice(askedBefore)
      .map(({ name, range }) => [name, Number(/=(\d+)-/.exec(range)?.[1]), Number(/-(\d+)$/.exec(range)?.[1])] as const)
      .filter(([, from, to]) => to - from > 1_000_000);
    expect(chunksAfter.map(([name, from]) => [name, from])).toEqual([
      [basename(path), CHUNK_BYTES],
      [basename(path), 2 * CHUNK_BYTES],
    ]);
  });

  it('and sleeps through a takeover sends no further piece', async (test) => {
    const { worker, publisher, fileRequest, via, outcomeOf, atTikTok } = await start(test);
    const file = await fileRequest();
    const sleeper = await worker(insideChunk(2, 3_000_001, 'stop'));
    const { id } = await publisher.enqueue(via(file, 'url'));
    await sleeper.waitFor(isTrapped);
    const second = await worker();
    expect(await outcomeOf(id)).toMatchObject({ state: 'published', attempts: 0 });
    const before = atTikTok();
    expect(before).toMatchObject({ posted: 1, completeUploads: 1 });
    second.signal('SIGTERM');
    await second.ended;
    sleeper.signal('SIGCONT');
    const next = await publisher.enqueue(via(await fileRequest(1_000), 'url'));
    expect(await outcomeOf(next.id)).toMatchObject({ state: 'published' });
    // What it had proven its ownership for, and no more: the rest of one piece from the socket.
    const [{ receivedBytes: bytesBefore = 0, ...rest } = {}] = before.publishes;
    const { resentBytes: _, ...unchanged } = { resentBytes: 0, ...rest };
    const [after] = atTikTok().publishes;
    expect(after).toMatchObject(unchanged);
    expect((after?.receivedBytes ?? 0) - bytesBefore).toBeLessThan(PIECE_BYTES);
  });
});

describe.skipIf(!hasSwift())('a worker that uploads from object storage (needs Swift)', () => {
  let swift: SwiftServer;

  beforeAll(async () => {
    swift = await startSwift();
  });

  afterAll(async () => {
    await swift.close();
  });

  it('and is killed inside a chunk is followed by one that goes on from the accepted offset', async (test) => {
    const { endpoint, region } = swift;
    const { worker, publisher, fileRequest, via, outcomeOf, atTikTok } = await start(test, {
      s3: { endpoint, region, forcePathStyle: true },
      environment: {
        AWS_ACCESS_KEY_ID: SWIFT_CREDENTIALS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: SWIFT_CREDENTIALS.secretAccessKey,
        NODE_NO_WARNINGS: '1',
      },
    });
    const file = await fileRequest();
    const { path, sha256 } = await pathAndDigest(file);
    const bucket = await createBucket(swift, 'videos');
    await bucket.putFile(basename(path), path);
    const first = await worker(insideChunk(2, 3_000_001, 'kill'));
    const { id } = await publisher.enqueue(via(file, 's3'));
    await first.ended;
    await worker();
    expect(await outcomeOf(id)).toMatchObject({ state: 'published', attempts: 0 });
    const { publishes, puts, resentBytes } = atTikTok();
    expect(publishes).toMatchObject([{ sha256, completeUploads: 1 }]);
    expect(puts.map(({ chunk }) => chunk?.startByte)).toEqual([0, CHUNK_BYTES, CHUNK_BYTES, 2 * CHUNK_BYTES]);
    expect(resentBytes).toBeLessThanOrEqual(CHUNK_BYTES);
    bucket.close();
  });
});
