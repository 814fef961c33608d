import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { percentile } from '../../src/core/percentile.ts';
import { makeVideo } from '../support/videos.ts';
import { histogramText } from './figures.ts';
import { accountNames, directPost, type Fleet, startFleet } from './fleet.ts';

const WORKERS = 4;
const MINUTE_MS = 60_000;
const QUIET = { accounts: 187, jobs: 10 };
const HOT = { accounts: 10, jobs: 13 };

let folder: string;
let fleet: Fleet | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scale-'));
});
afterEach(async () => {
  await fleet?.close();
  await rm(folder, { recursive: true, force: true });
});

describe(`2,000 jobs of 197 accounts, some of them hot, on ${WORKERS} processes`, () => {
  it("never pass TikTok's limits in any minute, and each job waits for its reservation once", async () => {
    fleet = await startFleet({ simulator: { processingMs: 30_000 } });
    const { journal } = fleet.simulator;
    const video = await makeVideo(folder, 1_000);
    const quiet = accountNames('quiet', QUIET.accounts);
    const hot = accountNames('hot', HOT.accounts);
    await fleet.addAccounts([...quiet, ...hot]);
    const requests = [
      ...hot.flatMap((account) => Array.from({ length: HOT.jobs }, () => directPost(account, video))),
      ...quiet.flatMap((account) => Array.from({ length: QUIET.jobs }, () => directPost(account, video))),
    ];
    await fleet.startWorkers(WORKERS);
    const begunAt = performance.now();
    const ids = await fleet.enqueue(requests);
    await fleet.published(ids.length, 8 * MINUTE_MS);
    const tookSeconds = Math.round((performance.now() - begunAt) / 1_000);
    const peaks = {
      inits: journal.peakPerWindow('video_init', MINUTE_MS),
      creatorInfo: journal.peakPerWindow('creator_info', MINUTE_MS),
      status: journal.peakPerWindow('status', MINUTE_MS),
    };
    const throttled = journal.requests({ httpStatus: 429 });
    const starts = await fleet.starts(ids);
    console.info(
      `scale: quotas: ${ids.length} jobs of ${quiet.length + hot.length} accounts, ${WORKERS} processes, ${tookSeconds} s: ` +
        `peaks per account in any 60 s: ${peaks.inits} inits (6), ${peaks.creatorInfo} creator_info (20), ` +
        `${peaks.status} status (30); ${throttled.length} answers 429; ` +
        `${journal.requests({ endpoint: 'status' }).length} status calls; starts per entry {${histogramText(starts)}}`,
    );
    expect(ids).toHaveLength(2_000);
    expect(throttled).toEqual([]);
    expect(peaks.inits).toBe(6);
    expect(peaks.creatorInfo).toBeLessThanOrEqual(20);
    expect(peaks.status).toBeLessThanOrEqual(30);
    expect(await fleet.count('published')).toBe(2_000);
    // Once to book its slot, once to use it; again only where a busy machine woke it too late for the slot.
    expect(percentile(starts, 0.9)).toBeLessThanOrEqual(2);
    expect(Math.max(...starts)).toBeLessThanOrEqual(6);
  });
});
