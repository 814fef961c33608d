import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { makeVideo } from '../support/videos.ts';
import { jainIndex } from './figures.ts';
import { accountNames, directPost, startFleet } from './fleet.ts';

const UPLOADS = 4;
const VIDEO_BYTES = 30_000_000;
const CAP = 6_000_000;
/** Of the video, when the shares are compared: in the middle, when all have begun and none has ended. */
const LOOK_AT_BYTES = VIDEO_BYTES / 2;

let folder: string;
let video: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scale-'));
  video = await makeVideo(folder, VIDEO_BYTES);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Uploads at the same time, by one process. @returns each one's bytes when the first was half done, and the rate of all */
async function share(environment: Readonly<Record<string, string>>) {
  const fleet = await startFleet({ environment: { PREFLIGHT: 'off', ...environment } });
  try {
    const { journal } = fleet.simulator;
    const accounts = accountNames('creator', UPLOADS);
    await fleet.addAccounts(accounts);
    await fleet.enqueue(accounts.map((account) => directPost(account, video)));
    await fleet.startWorkers(1);
    const received = () => journal.publishes().map(({ receivedBytes }) => receivedBytes);
    await eventually(() => received().length === UPLOADS);
    const begunAt = performance.now();
    const before = received().reduce((sum, bytes) => sum + bytes, 0);
    await eventually(() => Math.max(...received()) >= LOOK_AT_BYTES, { intervalMs: 5 });
    const shares = received();
    await fleet.uploaded(UPLOADS, 300_000);
    const seconds = (performance.now() - begunAt) / 1_000;
    return { shares, bytesPerSecond: (UPLOADS * VIDEO_BYTES - before) / seconds };
  } finally {
    await fleet.close();
  }
}

describe(`${UPLOADS} uploads of one process at the same time`, () => {
  it.for([
    ['under a cap', { UPLOAD_MAX_BYTES_PER_SECOND: String(CAP) }],
    ['without a cap', {}],
  ] as const)('share the bandwidth fairly, %s', async ([what, environment]) => {
    const { shares, bytesPerSecond } = await share(environment);
    const index = jainIndex(shares);
    const megabytes = (bytes: number) => (bytes / 1_000_000).toFixed(1);
    console.info(
      `scale: bandwidth ${what}: ${shares.map(megabytes).join(', ')} MB each when the first was half done, ` +
        `Jain's index ${index.toFixed(4)}, ${megabytes(bytesPerSecond)} MB/s in all`,
    );
    expect(index).toBeGreaterThan(0.95);
    // What is under way in the system's buffers when the clock starts counts on top.
    if ('UPLOAD_MAX_BYTES_PER_SECOND' in environment) expect(bytesPerSecond).toBeLessThan(CAP * 1.05);
  });
});
