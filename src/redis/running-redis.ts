import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { SECOND_MS } from '../core/units.ts';
import { askServerIdentity } from './server-identity.ts';

const ORPHAN_EXIT_WAIT_MS = 10 * SECOND_MS;
const RETRY_MS = 10;

/** What `redis.json` in the data folder says about the Redis that was started there last. */
const RunningRecord = z.object({ port: z.int(), pid: z.int(), runId: z.string(), ownerPid: z.int() });
export type RunningRecord = z.infer<typeof RunningRecord>;

/** The Redis that was started on `dataDir` and still answers; whether it stays depends on its owner. */
export async function findRunning(dataDir: string): Promise<{ record: RunningRecord; ownerRuns: boolean } | undefined> {
  const record = await readRecord(dataDir);
  if (!record || !(await answers(record))) return undefined;
  return { record, ownerRuns: await isRunning(record.ownerPid) };
}

async function answers(record: RunningRecord): Promise<boolean> {
  const identity = await askServerIdentity(record.port);
  return identity?.runId === record.runId;
}

/**
 * A Redis whose owner was killed is about to end: waits until it has written its last bytes. Resolves to one that
 * runs on, because its owner does, or because for some reason it did not end; two must never write the same files.
 */
export async function untilOrphanGone(dataDir: string): Promise<RunningRecord | undefined> {
  const deadline = performance.now() + ORPHAN_EXIT_WAIT_MS;
  for (;;) {
    const running = await findRunning(dataDir);
    const late = performance.now() > deadline;
    if (running && (running.ownerRuns || late)) return running.record;
    const record = running?.record ?? (await readRecord(dataDir));
    if (!record || late || !(await isRunning(record.pid))) return undefined;
    await sleep(RETRY_MS);
  }
}

async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // Ended, but not yet collected by its new parent; in containers that may never happen. Only Linux tells.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return !stat.includes(') Z ');
}

async function readRecord(dataDir: string): Promise<RunningRecord | undefined> {
  const text = await readFile(recordPath(dataDir), 'utf8').catch(() => '');
  try {
    return RunningRecord.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Makes a started Redis known to the processes that use the same folder. */
export async function writeRecord(dataDir: string, record: RunningRecord): Promise<void> {
  const unfinished = `${recordPath(dataDir)}.new`;
  await writeFile(unfinished, JSON.stringify(record), { mode: 0o600 });
  await rename(unfinished, recordPath(dataDir));
}

/** From now on nobody joins the Redis of this folder. */
export async function removeRecord(dataDir: string): Promise<void> {
  await rm(recordPath(dataDir), { force: true });
}

function recordPath(dataDir: string): string {
  return join(dataDir, 'redis.json');
}
