import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pace } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { percentile } from '../../src/core/percentile.ts';
import type { EnqueuedJob } from '../../src/producers/publisher.ts';
import { eventually } from '../support/eventually.ts';
import { makeVideo } from '../support/videos.ts';
import { histogramText, spreadText } from './figures.ts';
import { accountNames, directPost, type Fleet, startFleet } from './fleet.ts';

const HOT_JOBS = 5_000;
const OTHERS = { accounts: 50, rounds: 4, paceMs: 250 };
const LIMIT_MS = 2_000;

let folder: string;
let fleet: Fleet | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scale-'));
});
afterEach(async () => {
  await fleet?.close();
  await rm(folder, { recursive: true, force: true });
});

describe(`an account with ${HOT_JOBS} queued jobs`, () => {
  it('delays no other account, and its waiting jobs are not even looked at', async () => {
    fleet = await startFleet();
    const { publisher, simulator } = fleet;
    const video = await makeVideo(folder, 1_000);
    const names = accountNames('other', OTHERS.accounts);
    await fleet.addAccounts(['hot', ...names]);
    await fleet.startWorkers(1);

    const begunAt = performance.now();
    const hot = await fleet.enqueue(Array.from({ length: HOT_JOBS }, () => directPost('hot', video)));
    const enqueuedMs = Math.round(performance.now() - begunAt);
    console.info(`scale: enqueueing ${hot.length} jobs of one account took ${enqueuedMs} ms`);

    const others: EnqueuedJob[] = [];
    for (let round = 0; round < OTHERS.rounds; round += 1) {
      for (const account of names) {
        others.push(await publisher.enqueue(directPost(account, video)));
        // Long enough in all that the sweep passes by the hot jobs meanwhile.
        await pace(OTHERS.paceMs);
      }
    }
    const delaysMs = await eventually(
      async () => Promise.all(others.map(async ({ id }) => startDelayMs(await publisher.get(id)))),
      { timeoutMs: 60_000, intervalMs: 1_000 },
    );
    const waiting = hot.slice(30);
    const starts = await fleet.starts(waiting);
    console.info(
      `scale: hot account: ${HOT_JOBS} jobs queued, 1 process: from enqueue to start of ${OTHERS.accounts} other accounts: ` +
        `${spreadText(delaysMs)}; starts of its waiting jobs {${histogramText(starts)}}`,
    );
    expect(percentile(delaysMs, 0.99)).toBeLessThan(LIMIT_MS);
    expect(Math.max(...starts)).toBe(0);
    expect(simulator.journal.requests({ httpStatus: 429 })).toEqual([]);
  });
});

/** From enqueue to the init, by the job's own timeline. */
function startDelayMs(job: Awaited<ReturnType<Fleet['publisher']['get']>>): number {
  const sent = job?.timeline.find(({ event }) => event === 'init_sent');
  if (job === undefined || sent === undefined) throw new Error('not begun yet');
  return Date.parse(sent.at) - Date.parse(job.createdAt);
}
