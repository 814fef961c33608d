import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { accountNames, startFleet } from '../scale/fleet.ts';
import { proveAbort, proveRetry } from '../scale/operations-proof.ts';
import { makeVideo } from '../support/videos.ts';

const TEST_TIMEOUT_MS = 240_000;

/** A fleet and a video, both gone after the test. */
async function startWithVideo() {
  const folder = await mkdtemp(join(tmpdir(), 'operations-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const fleet = await startFleet();
  onTestFinished(() => fleet.close());
  const accounts = accountNames('creator', 50);
  await fleet.addAccounts(accounts);
  const video = await makeVideo(folder, 1_000);
  return { fleet, load: { accounts, video, ratePerSecond: 50, workers: 2, timeoutMs: 120_000 } };
}

it(
  'an operation over failed jobs of every phase does what its dry run said, once, while all workers are killed',
  async () => {
    const { fleet, load } = await startWithVideo();
    expect(await proveRetry(fleet, load)).toContain('none twice');
  },
  TEST_TIMEOUT_MS,
);

it(
  'an operation that is aborted at half leaves the rest untouched',
  async () => {
    const { fleet, load } = await startWithVideo();
    expect(await proveAbort(fleet, load)).toContain('untouched');
  },
  TEST_TIMEOUT_MS,
);
