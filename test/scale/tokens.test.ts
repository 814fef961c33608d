import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeVideo } from '../support/videos.ts';
import { spreadText } from './figures.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { addLoadAccounts, endAllTokens, enqueueRounds, refreshesIn } from './refreshes.ts';

const ACCOUNTS = 200;
const WORKERS = 4;
const MINUTE_MS = 60_000;
/** Workers renew a token that lives as short as this in the third quarter of its life. */
const ACCESS_TOKEN_SECONDS = 24;
const DUE_AFTER_MS = 12_000;

let folder: string;
let video: string;
let fleet: Fleet | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scale-'));
  video = await makeVideo(folder, 1_000);
});
afterEach(async () => {
  await fleet?.close();
  await rm(folder, { recursive: true, force: true });
});

describe(`${ACCOUNTS} accounts whose access tokens end again and again while ${WORKERS} processes publish`, () => {
  it('are refreshed once for each end that was foreseen, and no job notices', async () => {
    fleet = await startFleet({ simulator: { accessTokenSeconds: ACCESS_TOKEN_SECONDS, processingMs: 30_000 } });
    const { journal } = fleet.simulator;
    const { names } = await addLoadAccounts(fleet, ACCOUNTS);
    const ids = await enqueueRounds(fleet, names, 6, video);
    await fleet.startWorkers(WORKERS);
    await fleet.published(ids.length, 8 * MINUTE_MS);
    const { count, refused, gapsMs } = refreshesIn(journal);
    console.info(
      `scale: foreseen ends: ${ids.length} jobs of ${ACCOUNTS} accounts, ${WORKERS} processes: ${count} refreshes, ` +
        `${refused.length} refused, ${journal.requests({ httpStatus: 401 }).length} calls refused; ` +
        `time between refreshes of an account: min ${Math.min(...gapsMs)} ms, ${spreadText(gapsMs)}`,
    );
    expect(count).toBeGreaterThan(2 * ACCOUNTS);
    expect(refused).toEqual([]);
    expect(journal.requests({ httpStatus: 401 })).toEqual([]);
    // Never while the token that the last one brought was still fresh; a loaded machine shifts arrivals a little.
    expect(Math.min(...gapsMs)).toBeGreaterThan(DUE_AFTER_MS - 2_000);
    expect(await fleet.count('failed')).toBe(0);
  });

  it('are refreshed once for each end that comes as a surprise to several processes, and no job fails', async () => {
    fleet = await startFleet({ simulator: { processingMs: 75_000 } });
    const { names, openIds } = await addLoadAccounts(fleet, ACCOUNTS);
    const ids = await enqueueRounds(fleet, names, 6, video);
    await fleet.startWorkers(WORKERS);
    const waves = [];
    for (let wave = 0; wave < 4; wave += 1) waves.push(await endAllTokens(fleet, openIds, 2 * MINUTE_MS));
    await fleet.published(ids.length, 8 * MINUTE_MS);
    const { journal } = fleet.simulator;
    const { count, refused } = refreshesIn(journal);
    console.info(
      `scale: surprising ends: ${ids.length} jobs of ${ACCOUNTS} accounts, ${WORKERS} processes, ${waves.length} times: ` +
        `${count} refreshes, ${refused.length} refused, ${journal.requests({ httpStatus: 401 }).length} calls refused before; ` +
        `accounts not refreshed exactly once: ${waves.map(({ wrong }) => wrong.length).join(', ')}`,
    );
    expect(waves).toEqual(waves.map(() => ({ met: ACCOUNTS, wrong: [] })));
    expect(count).toBe(waves.length * ACCOUNTS);
    expect(refused).toEqual([]);
    expect(await fleet.count('failed')).toBe(0);
  });
});
