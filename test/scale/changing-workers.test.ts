import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PublishJob } from '../../src/core/publish-job.ts';
import type { RunningCommand } from '../e2e/cli/command.ts';
import { eventually } from '../support/eventually.ts';
import { makeVideo, sha256OfFile } from '../support/videos.ts';
import { accountNames, directPost, type Fleet, startFleet } from './fleet.ts';

const MINUTE_MS = 60_000;
/** How long workers are replaced (minutes); ten for a long proof. */
const MINUTES = Number(process.env.SCALE_DEPLOY_MINUTES ?? 1);
const CHUNK_BYTES = 10_000_000;

let folder: string;
let fleet: Fleet;

async function begin(environment: Readonly<Record<string, string>>): Promise<void> {
  // The test's videos are random bytes behind the start of an MP4.
  fleet = await startFleet({ simulator: { processingMs: 200 }, environment: { PREFLIGHT: 'off', ...environment } });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scale-'));
});
afterEach(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

/** Each job is published, and TikTok has one post of it, of these very bytes. */
async function expectOnePostEach(ids: readonly string[], path: string): Promise<readonly PublishJob[]> {
  const jobs = (await Promise.all(ids.map((id) => fleet.publisher.get(id)))).filter((job) => job !== undefined);
  expect(jobs.map(({ state }) => state)).toEqual(ids.map(() => 'published'));
  const posts = fleet.simulator.journal.posts();
  expect(posts).toHaveLength(ids.length);
  expect(new Set(posts.map(({ publishId }) => publishId))).toEqual(new Set(jobs.map(({ publishId }) => publishId)));
  expect(new Set(posts.map(({ sha256 }) => sha256))).toEqual(new Set([await sha256OfFile(path)]));
  return jobs;
}

const countOf = (job: PublishJob, event: string) => job.timeline.filter((entry) => entry.event === event).length;

describe('workers that are added, stopped and killed under load', () => {
  it('lose no job and double none', async () => {
    const changes = 10;
    await begin({ UPLOAD_MAX_BYTES_PER_SECOND: '3000000', CHUNK_SIZE_BYTES: '5000000' });
    const video = await makeVideo(folder, 16_000_000);
    const accounts = accountNames('creator', 30);
    await fleet.addAccounts(accounts);
    const ids = await fleet.enqueue(accounts.map((account) => directPost(account, video)));
    const workers: RunningCommand[] = await Promise.all(Array.from({ length: 3 }, () => fleet.startWorker({})));
    const countUploads = () => fleet.simulator.journal.requests({ endpoint: 'upload' }).length;
    for (let change = 0; change < changes; change += 1) {
      const sent = countUploads();
      workers.push(await fleet.startWorker({}));
      await eventually(() => countUploads() >= sent + 2 || fleet.simulator.journal.posts().length === ids.length, {
        ...{ timeoutMs: 8 * MINUTE_MS, intervalMs: 100 },
      });
      const oldest = workers.shift();
      oldest?.kill(change % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
      await oldest?.ended;
    }
    await fleet.published(ids.length, 8 * MINUTE_MS);
    const jobs = await expectOnePostEach(ids, video);
    const resumed = jobs.filter((job) => countOf(job, 'resumed') > 0).length;
    console.info(
      `scale: changing workers: ${changes} replaced, half of them killed; ${resumed} of ${ids.length} jobs were resumed`,
    );
  });
});

describe(`a rolling deploy that goes on for ${MINUTES} min during uploads of 60 MB`, () => {
  it(
    'uses no attempt, and sends at most one chunk again for each interruption',
    async () => {
      const bytesPerSecond = 4_000_000;
      const count = 3;
      await begin({
        UPLOAD_MAX_BYTES_PER_SECOND: String(bytesPerSecond),
        UPLOAD_CONCURRENCY: '2',
        CHUNK_SIZE_BYTES: String(CHUNK_BYTES),
      });
      const videoBytes = 60_000_000;
      const video = await makeVideo(folder, videoBytes);
      // As many as keep all workers busy for the time.
      const jobCount = Math.ceil((count * bytesPerSecond * MINUTES * 60) / videoBytes);
      const accounts = accountNames('creator', jobCount);
      await fleet.addAccounts(accounts);
      const ids = await fleet.enqueue(accounts.map((account) => directPost(account, video)));
      const workers = await Promise.all(Array.from({ length: count }, () => fleet.startWorker({})));
      const endsAt = performance.now() + MINUTES * MINUTE_MS;
      let replaced = 0;
      while (performance.now() < endsAt) {
        workers.push(await fleet.startWorker({}));
        const oldest = workers.shift();
        oldest?.kill('SIGTERM');
        expect((await oldest?.ended)?.exitCode).toBe(0);
        replaced += 1;
      }
      await fleet.published(ids.length, (MINUTES + 8) * MINUTE_MS);
      const jobs = await expectOnePostEach(ids, video);
      const interruptions = jobs.map((job) => countOf(job, 'handed_back'));
      const resentBytes = jobs.map(
        ({ publishId }) =>
          fleet.simulator.journal.publishes().find((publish) => publish.publishId === publishId)?.resentBytes ?? 0,
      );
      const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
      console.info(
        `scale: rolling deploy of ${MINUTES} min: ${replaced} of ${count} workers replaced, ${ids.length} uploads of 60 MB, ` +
          `${sum(interruptions)} interruptions, ${(sum(resentBytes) / 1_000_000).toFixed(1)} MB sent again, ` +
          `attempts used ${sum(jobs.map(({ attempts }) => attempts))}`,
      );
      expect(sum(interruptions)).toBeGreaterThan(0);
      expect(jobs.map(({ attempts }) => attempts)).toEqual(ids.map(() => 0));
      for (const [index, bytes] of resentBytes.entries()) {
        expect(bytes).toBeLessThanOrEqual((interruptions[index] ?? 0) * CHUNK_BYTES);
      }
    },
    (2 * MINUTES + 10) * MINUTE_MS,
  );
});
