import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { makeVideo } from '../support/videos.ts';
import { accountNames, startFleet } from './fleet.ts';
import { proveAbort, proveRetry } from './operations-proof.ts';

/** With one job of each phase: 10,000 jobs. */
const ACCOUNTS = 2_000;

it.each([
  ['does what its dry run said, each job once, while all workers are killed', proveRetry],
  ['leaves the rest untouched when it is aborted at half', proveAbort],
])('an operation on 10,000 failed jobs %s', async (_title, prove) => {
  const folder = await mkdtemp(join(tmpdir(), 'scale-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const fleet = await startFleet();
  onTestFinished(() => fleet.close());
  const accounts = accountNames('creator', ACCOUNTS);
  await fleet.addAccounts(accounts);
  const video = await makeVideo(folder, 1_000);
  const figures = await prove(fleet, { accounts, video, ratePerSecond: 200, workers: 2, timeoutMs: 480_000 });
  console.info(`scale: ${figures}`);
  expect(figures).not.toBe('');
});
