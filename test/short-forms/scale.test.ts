import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PublishJob } from '../../src/core/publish-job.ts';
import { accountNames, directPost, type Fleet, startFleet } from '../scale/fleet.ts';
import { endAllTokens, refreshesIn } from '../scale/refreshes.ts';
import { eventually } from '../support/eventually.ts';
import { makeVideo } from '../support/videos.ts';

/*
 * What `npm run scale` does for minutes, with a few accounts: two worker processes with production settings.
 */

const MINUTE_MS = 60_000;
const WORKERS = 2;
const ACCOUNTS = 10;
const JOBS_PER_ACCOUNT = 8;
const INITS_PER_MINUTE = 6;

let folder: string;
let fleet: Fleet;
let openIds: readonly string[];
let ids: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scale-'));
  const video = await makeVideo(folder, 1_000);
  fleet = await startFleet({ simulator: { processingMs: 60_000 } });
  const names = accountNames('creator', ACCOUNTS);
  openIds = [...(await fleet.addAccounts(names)).values()];
  const jobsOf = (account: string) => Array.from({ length: JOBS_PER_ACCOUNT }, () => directPost(account, video));
  ids = await fleet.enqueue(names.flatMap(jobsOf));
  await fleet.startWorkers(WORKERS);
});
afterAll(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

describe('several worker processes', () => {
  it('begin as many posts of each account as a minute allows, and let the others wait without waking them', async () => {
    const { journal } = fleet.simulator;
    const begins = ACCOUNTS * INITS_PER_MINUTE;
    const waiting = await eventually(async () => {
      const jobs = await Promise.all(ids.map((id) => fleet.publisher.get(id)));
      const queued = jobs.flatMap((job) => (job?.state === 'queued' ? [job] : []));
      // The next in line has tried to begin, and waits for its reservation.
      const isNext = ({ waitingFor, waitingUntil }: PublishJob) => waitingFor === 'rate_limit' && waitingUntil;
      expect(await fleet.count('processing')).toBe(begins);
      expect(queued.filter(isNext).length).toBeGreaterThanOrEqual(ACCOUNTS);
      return queued;
    });
    expect(waiting).toHaveLength(ids.length - begins);
    const starts = await fleet.starts(waiting.map(({ id }) => id));
    expect(starts.toSorted()).toEqual([...Array(ACCOUNTS).fill(0), ...Array(ACCOUNTS).fill(1)]);
    expect(journal.peakPerWindow('video_init', MINUTE_MS)).toBe(INITS_PER_MINUTE);
    expect(journal.requests({ httpStatus: 429 })).toEqual([]);
  });

  it('refresh tokens that all end at once a single time each', async () => {
    expect(await endAllTokens(fleet, openIds, 20_000)).toEqual({ met: ACCOUNTS, wrong: [] });
    const { count, refused } = refreshesIn(fleet.simulator.journal);
    expect({ count, refused }).toEqual({ count: ACCOUNTS, refused: [] });
    expect(await fleet.count('failed')).toBe(0);
  });
});
