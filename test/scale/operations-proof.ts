import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { Fleet } from './fleet.ts';
import { PHASES, type PlantedJob, plantFailures } from './planted-failures.ts';

const RETRY = { kind: 'retry', filter: { state: ['failed', 'unconfirmed'] } } as const;
const WAYS = Object.values(PHASES).filter((way) => way !== undefined);

export interface OperationLoad {
  readonly accounts: readonly string[];
  readonly video: string;
  readonly ratePerSecond: number;
  readonly workers: number;
  readonly timeoutMs: number;
}

/** What one retry of each of them does. */
function expectedTotals(jobsPerPhase: number) {
  const ways: Record<string, number> = {};
  for (const way of WAYS) ways[way] = (ways[way] ?? 0) + jobsPerPhase;
  return { ways, refused: [expect.objectContaining({ code: 'JOB_NOT_RETRYABLE', count: jobsPerPhase })] };
}

/** How often an operation acted on each job. */
async function actsOf({ publisher }: Fleet, jobs: readonly PlantedJob[], operation: string): Promise<number[]> {
  const acts: number[] = [];
  for (const { id } of jobs) {
    const timeline = (await publisher.get(id))?.timeline ?? [];
    acts.push(timeline.filter((entry) => entry.event === 'retry_requested' && entry.operation === operation).length);
  }
  return acts;
}

/**
 * Retries failed jobs of every phase while all workers are killed twice: the result is what the dry run said, each job was
 * touched once, and each post is there once.
 * @returns figures, for people
 */
export async function proveRetry(fleet: Fleet, load: OperationLoad): Promise<string> {
  const { publisher, simulator } = fleet;
  const { accounts, video, ratePerSecond, workers, timeoutMs } = load;
  const plantedAt = performance.now();
  const jobs = await plantFailures(fleet, accounts, video);
  const previewAt = performance.now();
  const { jobCount, totals } = await publisher.operations.preview(RETRY);
  const previewMs = performance.now() - previewAt;
  expect({ jobCount, totals }).toEqual({ jobCount: jobs.length, totals: expectedTotals(accounts.length) });

  const startedAt = performance.now();
  const { id } = await publisher.operations.start({ ...RETRY, ratePerSecond });
  for (const share of [0.3, 0.6]) {
    const pids = await fleet.startWorkers(workers);
    await eventually(
      async () => {
        const { doneCount, state } = await publisher.operations.get(id);
        expect(state === 'running' && doneCount >= jobs.length * share).toBe(true);
      },
      { timeoutMs },
    );
    for (const pid of pids) process.kill(pid, 'SIGKILL');
  }
  await fleet.startWorkers(workers);
  const operation = await eventually(
    async () => {
      const found = await publisher.operations.get(id);
      expect(found.state).toBe('done');
      return found;
    },
    { timeoutMs },
  );
  const endedAt = performance.now();
  expect(operation).toMatchObject({ jobCount: jobs.length, doneCount: jobs.length });
  expect(operation.totals).toEqual(totals);

  const goOn = jobs.filter(({ phase }) => PHASES[phase] !== undefined);
  await fleet.published(goOn.length, timeoutMs);
  const publishedAt = performance.now();
  const acts = await actsOf(fleet, jobs, id);
  expect(acts).toEqual(jobs.map(({ phase }) => (PHASES[phase] === undefined ? 0 : 1)));
  expect(
    simulator.journal
      .posts()
      .map(({ title }) => title)
      .toSorted(),
  ).toEqual(goOn.map(({ title }) => title).toSorted());
  const seconds = (from: number, to: number) => `${((to - from) / 1_000).toFixed(1)} s`;
  return (
    `${jobs.length} failed jobs of ${accounts.length} accounts planted in ${seconds(plantedAt, previewAt)}; dry run ${Math.round(previewMs)} ms; ` +
    `operation at ${ratePerSecond}/s with all ${workers} workers killed twice ${seconds(startedAt, endedAt)}; all posts there after ` +
    `${seconds(startedAt, publishedAt)}; ${simulator.journal.posts().length} posts, none twice; totals ${JSON.stringify(operation.totals.ways)}`
  );
}

/** Aborts a retry at half: the jobs that it had not reached stay as they were. @returns figures, for people */
export async function proveAbort(fleet: Fleet, load: OperationLoad): Promise<string> {
  const { publisher } = fleet;
  const { accounts, video, ratePerSecond, workers, timeoutMs } = load;
  const jobs = await plantFailures(fleet, accounts, video);
  await fleet.startWorkers(workers);
  const { id } = await publisher.operations.start({ ...RETRY, ratePerSecond });
  await eventually(
    async () => {
      expect((await publisher.operations.get(id)).doneCount).toBeGreaterThanOrEqual(jobs.length / 2);
    },
    { timeoutMs, intervalMs: 50 },
  );
  const { doneCount, totals, state } = await publisher.operations.abort(id);
  expect(state).toBe('aborted');
  expect(doneCount).toBeLessThan(jobs.length);
  const retried = Object.values(totals.ways).reduce((sum, count) => sum + count, 0);
  const acts = await actsOf(fleet, jobs, id);
  expect(acts.filter((count) => count === 1)).toHaveLength(retried);
  expect(Math.max(...acts)).toBe(1);
  const untouched = jobs.filter((_, index) => acts[index] === 0);
  for (const { id: job } of untouched) {
    expect(await publisher.get(job)).toMatchObject({ state: expect.stringMatching(/^(failed|unconfirmed)$/) });
  }
  expect(await publisher.operations.get(id)).toMatchObject({ doneCount, totals });
  return `aborted at ${doneCount} of ${jobs.length}: ${untouched.length} jobs untouched, ${retried} retried once`;
}
