import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../src/embedded-redis/redis-process.ts';
import { makeVideo } from '../support/videos.ts';
import { jainIndex } from './figures.ts';
import { accountNames, directPost, type Fleet, startFleet } from './fleet.ts';

const WORKERS = 8;
const MINUTE_MS = 60_000;
const QUIET = { accounts: 240, jobs: 5 };
const HOT = { accounts: 5, jobs: 10 };
/** How far a worker may be from an even share. */
const SPREAD = 0.2;

let folder: string;
let fleet: Fleet;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scale-'));
  fleet = await startFleet({ simulator: { processingMs: 5_000 } });
});
afterEach(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

/** How many chunks a worker has uploaded, which are as many as videos of one chunk. */
async function uploadsAt(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^tiktok_upload_chunk_duration_seconds_count(?:\{\})? (\d+)$/m.exec(text)?.[1]);
}

describe(`${WORKERS} worker processes on one set of queues`, () => {
  it('share the jobs evenly, starve none, and keep exactly within the quotas', async () => {
    const video = await makeVideo(folder, 1_000);
    const quiet = accountNames('quiet', QUIET.accounts);
    const hot = accountNames('hot', HOT.accounts);
    await fleet.addAccounts([...quiet, ...hot]);
    const ports = await Promise.all(Array.from({ length: WORKERS }, () => freePort()));
    await Promise.all(ports.map((port) => fleet.startWorker({ METRICS_PORT: String(port) })));
    const begunAt = performance.now();
    const ids = await fleet.enqueue([
      ...hot.flatMap((account) => Array.from({ length: HOT.jobs }, () => directPost(account, video))),
      // In turns, as different people enqueue.
      ...Array.from({ length: QUIET.jobs }, () => quiet.map((account) => directPost(account, video))).flat(),
    ]);
    await fleet.published(ids.length, 8 * MINUTE_MS);
    const seconds = Math.round((performance.now() - begunAt) / 1_000);
    const shares = await Promise.all(ports.map(uploadsAt));
    const { journal } = fleet.simulator;
    const peak = journal.peakPerWindow('video_init', MINUTE_MS);
    console.info(
      `scale: ${WORKERS} workers: ${ids.length} jobs in ${seconds} s, uploads per worker ${shares.join(' ')}, ` +
        `Jain's index ${jainIndex(shares).toFixed(4)}, peak ${peak} inits per account and minute`,
    );
    const share = ids.length / WORKERS;
    expect(shares.reduce((sum, count) => sum + count, 0)).toBe(ids.length);
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(share * (1 - SPREAD));
    expect(Math.max(...shares)).toBeLessThanOrEqual(share * (1 + SPREAD));
    expect(peak).toBe(6);
    expect(journal.peakPerWindow('creator_info', MINUTE_MS)).toBeLessThanOrEqual(20);
    expect(journal.peakPerWindow('status', MINUTE_MS)).toBeLessThanOrEqual(30);
    expect(journal.requests({ httpStatus: 429 })).toEqual([]);
    expect(journal.posts()).toHaveLength(ids.length);
  });
});
