import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import type { PublishRequest } from '../../src/core/publish-request.ts';
import { isTerminal } from '../../src/core/publish-state.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../src/core/units.ts';
import { freePort } from '../../src/embedded-redis/redis-process.ts';
import type { FaultRule } from '../../src/simulator/index.ts';
import { seededRandom } from '../chaos/seeded-random.ts';
import { accountNames, type Fleet, startFleet } from '../scale/fleet.ts';
import { startCallbackReceiver } from '../support/callback-receiver.ts';
import { documentedKeys, keysIn, rowOf } from '../support/documented-keys.ts';
import { eventually } from '../support/eventually.ts';
import { makeVideo } from '../support/videos.ts';
import { floorsOf, trendOf } from './trend.ts';

const MINUTES = Number(process.env.SOAK_MINUTES ?? 30);
const SEED = Number(process.env.SOAK_SEED ?? 1);
const ACCOUNTS = 1_000;
/** Jobs that have not ended, of which there are always so many. */
const OPEN_JOBS = 300;
const ROUND_MS = SECOND_MS;
/** How many rounds until a worker is killed, and until connections of workers to Redis are cut. */
const KILL_EVERY = 30;
const CUT_EVERY = 20;
const PARTS = 18;
/** The first parts do not count: caches fill, code is compiled. */
const WARM_UP_PARTS = 6;
/** Workers remember their last 10,000 jobs: where they do not yet after the first parts, their heap may still grow. */
const REMEMBERED = { jobs: 10_000, bytesEach: 2_000 };

const FAULTS: readonly [FaultRule, ...FaultRule[]] = [
  { endpoint: 'video_init', act: { kind: 'status', httpStatus: 500 } },
  { endpoint: 'inbox_init', act: { kind: 'drop_before' } },
  { endpoint: 'upload', act: { kind: 'status', httpStatus: 503 } },
  { endpoint: 'upload', act: { kind: 'drop_mid_body', afterBytes: 10_000 } },
  { endpoint: 'upload', act: { kind: 'drop_after' } },
  { endpoint: 'status', act: { kind: 'status', httpStatus: 500 } },
  { endpoint: 'status', act: { kind: 'drop_after' } },
  { endpoint: 'status', act: { kind: 'raw', httpStatus: 502, body: '<html>' } },
  { endpoint: 'video_init', act: { kind: 'fail_processing', failReason: 'internal' } },
];

const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A worker that runs from the beginning to the end. */
async function startMeasured(fleet: Fleet) {
  const port = await freePort();
  const worker = await fleet.startWorker({ METRICS_PORT: String(port) });
  const samples = { heapBytes: [] as number[], residentBytes: [] as number[], handles: [] as number[] };
  const endedJobs: number[] = [];
  return {
    worker,
    samples,
    /** Jobs that ended in it during the first parts. */
    warmUpJobs: () => endedJobs[Math.floor(endedJobs.length / PARTS) * WARM_UP_PARTS - 1] ?? 0,
    async sample(): Promise<void> {
      const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      const read = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1]);
      samples.heapBytes.push(read('nodejs_heap_size_used_bytes') + read('nodejs_external_memory_bytes'));
      samples.residentBytes.push(read('process_resident_memory_bytes'));
      samples.handles.push(read('nodejs_active_resources_total'));
      const ended = page.matchAll(/^tiktok_publish_jobs_total\{.*\} (\d+)$/gm);
      endedJobs.push([...ended].reduce((sum, [, count]) => sum + Number(count), 0));
    },
  };
}

/** Cuts what workers hold open to Redis, as a firewall or a failover does. */
async function cutConnections({ redis }: Fleet): Promise<void> {
  const clients = String(await redis.call('CLIENT', 'LIST')).split('\n');
  const ofWorkers = clients.filter((line) => line.includes('tiktok-publisher:worker:'));
  for (const line of ofWorkers) await redis.call('CLIENT', 'KILL', 'ID', /id=(\d+)/.exec(line)?.[1] ?? '');
}

it(`does not grow in ${MINUTES} minutes of mixed load with faults (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const folder = await mkdtemp(join(tmpdir(), 'soak-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const [small, large] = [await makeVideo(folder, 50_000), await makeVideo(folder, 12_000_000)];
  const receiver = await startCallbackReceiver((response, _, index) => {
    response.writeHead(index % 20 === 0 ? 503 : 204).end();
  });
  closers.push(() => receiver.close());
  const fleet = await startFleet({
    simulator: { processingMs: 500 },
    environment: { OUTBOUND_ALLOW_HOSTS: '127.0.0.1', RETENTION_DAYS: '1' },
  });
  closers.push(() => fleet.close());
  const { publisher, redis, keys, simulator } = fleet;
  const accounts = accountNames('soak', ACCOUNTS);
  await fleet.addAccounts(accounts);
  const measured = [await startMeasured(fleet), await startMeasured(fleet)];
  let victim = await fleet.startWorker({});

  let posts = 0;
  function nextRequest(): PublishRequest {
    const path = random.chance(0.02) ? join(folder, 'none.mp4') : random.chance(0.05) ? large : small;
    const request = { account: accounts[random.int(0, ACCOUNTS - 1)] ?? '', media: { type: 'file', path } as const };
    const more = {
      ...(random.chance(0.25) && { callbackUrl: receiver.url }),
      ...(random.chance(0.1) && { scheduledAt: new Date(Date.now() + 3 * SECOND_MS).toISOString() }),
    };
    if (random.chance(0.3)) return { ...request, ...more, mode: 'inbox' };
    return { ...request, ...more, mode: 'direct', post: { title: `Post ${posts++}`, privacyLevel: 'SELF_ONLY' } };
  }

  const countOpen = async () => {
    const counts = await Promise.all(
      (['scheduled', 'queued', 'uploading', 'processing'] as const).map((state) => fleet.count(state)),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const ids: string[] = [];
  const end = performance.now() + MINUTES * MINUTE_MS;
  for (let round = 1; performance.now() < end; round += 1) {
    const wanted = Math.max(0, OPEN_JOBS - (await countOpen()));
    const jobs = await publisher.enqueueBulk(Array.from({ length: wanted }, nextRequest));
    ids.push(...jobs.map(({ id }) => id));
    const [unlucky] = jobs;
    if (unlucky !== undefined && random.chance(0.3)) await publisher.cancel(unlucky.id).catch(() => undefined);
    simulator.faults.add(random.pick(FAULTS));
    if (round % CUT_EVERY === 0) await cutConnections(fleet);
    if (round % KILL_EVERY === 0) {
      victim.kill('SIGKILL');
      await victim.ended;
      victim = await fleet.startWorker({});
    }
    await Promise.all(measured.map((each) => each.sample()));
    await sleep(ROUND_MS);
  }

  const states = new Map<string, number>();
  await eventually(async () => (await countOpen()) === 0, { timeoutMs: 10 * MINUTE_MS, intervalMs: SECOND_MS });
  for (const id of ids) {
    const state = (await publisher.get(id))?.state ?? 'gone';
    states.set(state, (states.get(state) ?? 0) + 1);
  }
  console.info(`soak: ${ids.length} jobs: ${[...states].map(([state, count]) => `${state} ${count}`).join(', ')}`);

  // A month later.
  for (const id of ids) await redis.hset(keys.job(id), { stateSince: Date.now() - 31 * DAY_MS });
  for (const id of ids) await redis.zadd(keys.due, 'XX', 0, id);
  const rows = await documentedKeys();
  const left = await eventually(
    async () => {
      const present = await keysIn(fleet);
      const ofJobs = present.filter((key) => rowOf(key, rows)?.bound === 'job');
      if (ofJobs.length > 0) throw new Error(`${ofJobs.length} keys of jobs are left, such as ${ofJobs[0]}`);
      return present;
    },
    { timeoutMs: 5 * MINUTE_MS, intervalMs: SECOND_MS },
  );
  const forever = [];
  for (const key of left) {
    const bound = rowOf(key, rows)?.bound;
    if (bound === undefined) forever.push(key);
    if (bound === 'expiry' && (await redis.pttl(`${keys.start}${key}`)) === -1) forever.push(key);
  }
  console.info(`soak: Redis: ${left.length} keys are left, none of a job`);

  for (const { worker, samples, warmUpJobs } of measured) {
    const toRemember = Math.max(0, Math.min(ids.length, REMEMBERED.jobs) - warmUpJobs());
    console.info(`soak: worker ${worker.pid}: at most ${toRemember} jobs more to remember after the first parts`);
    for (const [name, numbers] of Object.entries(samples)) {
      const { growth, noise, mean } = trendOf(floorsOf(numbers, PARTS).slice(WARM_UP_PARTS));
      const text = (number: number) => (name === 'handles' ? number.toFixed(1) : `${(number / 1e6).toFixed(1)} MB`);
      console.info(
        `soak: worker ${worker.pid}: ${name}: mean ${text(mean)}, growth ${text(growth)}, noise ${text(noise)}`,
      );
      const explained = name === 'handles' ? 1 : toRemember * REMEMBERED.bytesEach;
      // What the allocator keeps of the process's memory depends on more than us; the heap is ours.
      if (name !== 'residentBytes') expect.soft(growth - noise, name).toBeLessThanOrEqual(explained);
    }
    expect.soft(worker.stderr()).not.toContain('MaxListenersExceededWarning');
  }
  expect.soft(forever).toEqual([]);
  expect.soft([...states.keys()].filter((state) => !isTerminal(state as never))).toEqual([]);
  expect.soft(states.get('unconfirmed') ?? 0).toBe(0);
  const titles = simulator.journal.posts().flatMap(({ title }) => (title === '' ? [] : [title]));
  expect.soft(titles).toHaveLength(new Set(titles).size);
});
