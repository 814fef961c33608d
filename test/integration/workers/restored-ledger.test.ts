import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import pino from 'pino';
import { describe, expect, it, type TestContext } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import { openApp } from '../../../src/app/open-app.ts';
import { openMetricsServer } from '../../../src/app/open-metrics-server.ts';
import { openMeasuredService } from '../../../src/app/open-service.ts';
import { openWorkers } from '../../../src/app/open-workers.ts';
import { runCli } from '../../../src/cli/run-cli.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { createLedgerVersionStore } from '../../../src/ledger/version-store.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { startSimulator } from '../../../src/simulator/index.ts';
import type { RunningWorkers } from '../../../src/workers/runtime/start-workers.ts';
import { eventually } from '../../support/eventually.ts';
import { RAPID_POLLS } from '../../support/pipeline.ts';
import { startRestorableRedis } from '../../support/restorable-redis.ts';
import { makeVideo } from '../../support/videos.ts';
import { capturedIo } from '../../unit/cli/captured-io.ts';

/** Beats of more than an hour. */
const MANY_HEARTBEATS = 1_000;
const ENDED = { timeoutMs: 90_000 };

/** A Redis that can be set back, a simulated TikTok, and what enqueues, runs and accepts there. */
async function startWorld({ onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  const folder = await mkdtemp(join(tmpdir(), 'restored-ledger-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const server = await startRestorableRedis();
  onTestFinished(() => server.close());
  const simulator = await startSimulator({ processingMs: 20 });
  onTestFinished(() => simulator.close());
  const { accessToken } = simulator.addAccount();
  /** Until then TikTok tells nothing. */
  const silence = simulator.faults.add({ endpoint: 'status', when: { times: 'always' }, act: { kind: 'drop_before' } });
  const env = {
    REDIS_URL: server.url,
    ENCRYPTION_KEYS: Buffer.alloc(32, 7).toString('base64'),
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: simulator.clientSecret,
    DATA_DIR: join(folder, 'data'),
    METRICS_PORT: '0',
    PREFLIGHT: 'off',
    ON_DUPLICATE: 'allow',
  };
  const config = loadConfig(env);
  const redis = await connectRedis({ kind: 'url', url: server.url }, 'ledger');
  onTestFinished(() => closeRedis(redis));
  const publisher = createPublisherFromConfig(config);
  onTestFinished(() => publisher.close());
  const video = await makeVideo(folder, 100_000);

  /** A worker process with a data folder. */
  async function work(dataDir = env.DATA_DIR) {
    let text = '';
    const lines = new PassThrough().on('data', (line: Buffer) => (text += line.toString()));
    const log = pino({ level: 'info' }, lines);
    const app = await openApp(loadConfig({ ...env, DATA_DIR: dataDir }), { log });
    onTestFinished(() => app.close());
    const service = await openMeasuredService(app);
    const tokens = { accessToken: async () => accessToken };
    const workers = await openWorkers(service, { tokens, settings: { pollSchedule: RAPID_POLLS } });
    const health = await openMetricsServer(service, workers);
    const ready = async () => await fetch(`${health?.url}/readyz`);
    const logged = (words: string) => text.split('\n').filter((line) => line.includes(words)).length;
    return { ...workers, close: app.close, logged, ready };
  }

  const enqueue = async (more: { scheduledAt?: string } = {}) =>
    await publisher.enqueue({
      account: 'acme',
      mode: 'inbox',
      media: { type: 'file', path: video },
      ...more,
    });

  /** Lets the ledger count as many heartbeats as in an hour, and the workers see them. */
  async function anHourPasses(): Promise<void> {
    const { ledgerVersion } = createKeys(config.queuePrefix);
    const count = await redis.hincrby(ledgerVersion, 'count', MANY_HEARTBEATS);
    await eventually(
      async () => lastSeenCount(await readFile(join(env.DATA_DIR, 'ledger-mark.json'), 'utf8')) >= count,
    );
  }

  async function accept(...options: string[]) {
    const io = capturedIo({ env });
    expect(await runCli(['ledger', 'accept', '--json', ...options], io)).toBe(0);
    return JSON.parse(io.printed().stdout) as {
      wentBack: boolean;
      accepted: boolean;
      jobs: Record<'keep' | 'ask' | 'unconfirmed', string[]>;
    };
  }

  /** What becomes of a job, whose Redis may just be coming back. */
  const stateOf = async ({ id }: { id: string }) =>
    await eventually(async () => (await publisher.get(id))?.state ?? 'unknown');
  const inits = () => simulator.journal.requests({ endpoint: 'inbox_init' }).length;
  return {
    env,
    folder,
    server,
    redis,
    config,
    publisher,
    work,
    enqueue,
    anHourPasses,
    accept,
    inits,
    stateOf,
    simulator,
    silence,
  };
}

function lastSeenCount(file: string): number {
  const [version] = Object.values(JSON.parse(file) as Record<string, { count: number }>);
  return version?.count ?? 0;
}

/**
 * A ledger whose backup has a job that waits, two that TikTok works on, and one for later. Since the backup the first
 * was posted, of the others one was posted and one failed and was begun anew.
 */
async function startRestoredWorld(test: TestContext) {
  const world = await startWorld(test);
  const { publisher, server, simulator, silence, work, enqueue, stateOf } = world;
  const first = await work();
  const asked = await enqueue();
  await eventually(async () => (await stateOf(asked)) === 'processing');
  const fails = { kind: 'fail_processing', failReason: 'internal' } as const;
  const fault = simulator.faults.add({ endpoint: 'inbox_init', act: fails });
  const failed = await enqueue();
  await eventually(async () => (await stateOf(failed)) === 'processing');
  expect(fault.fired).toBe(1);
  await first.close();
  const queued = await enqueue();
  const later = await enqueue({ scheduledAt: new Date(Date.now() + 3_600_000).toISOString() });
  await server.backUp();
  silence.remove();
  const worker = await work();
  for (const { id } of [asked, queued, failed]) {
    expect((await publisher.waitForCompletion(id, ENDED)).state).toBe('in_inbox');
  }
  expect(world.inits()).toBe(4);
  await world.anHourPasses();
  return { ...world, worker, asked, failed, queued, later };
}

/** Why a worker takes no job on this ledger. */
async function troubleOf(worker: Pick<RunningWorkers, 'readiness'>): Promise<string | undefined> {
  return (await worker.readiness()).reasons.find((reason) => reason.includes('ledger'));
}

// Side by side: each look of a worker comes five seconds after the last one, as in production.
describe.concurrent('workers that find Redis set back to an older backup', () => {
  it('stop and say so, until a person accepts it; nothing is posted twice', async (test) => {
    const { publisher, server, worker, accept, enqueue, inits, stateOf, ...jobs } = await startRestoredWorld(test);
    const { asked, failed, queued, later } = jobs;
    expect(await troubleOf(worker)).toBeUndefined();
    expect((await worker.ready()).status).toBe(200);
    await server.restore();
    await eventually(async () => (await troubleOf(worker)) !== undefined && !worker.isRunning(), ENDED);
    expect(await troubleOf(worker)).toMatch(/restored to an older state.*ledger accept/);
    const unready = await worker.ready();
    expect(unready.status).toBe(503);
    expect(await unready.json()).toMatchObject({ checks: { workers: { reason: await troubleOf(worker) } } });

    // Meanwhile, as of now: no clock need tell it from the jobs of the backup.
    const fresh = await enqueue();
    const dry = await accept();
    expect(dry).toMatchObject({ wentBack: true, accepted: false });
    expect(dry.jobs.ask.toSorted()).toEqual([asked.id, failed.id].toSorted());
    expect(dry.jobs.keep.toSorted()).toEqual([later.id, fresh.id].toSorted());
    expect(dry.jobs.unconfirmed).toEqual([queued.id]);
    expect(await stateOf(queued)).toBe('queued');
    expect(await troubleOf(worker)).toBeDefined();

    expect((await accept('--yes')).jobs).toEqual(dry.jobs);
    // Of these nobody could know, but for this very process, which remembers how they ended and says so again.
    for (const job of [queued, failed]) await eventually(async () => (await stateOf(job)) === 'in_inbox', ENDED);
    expect((await publisher.waitForCompletion(asked.id, ENDED)).state).toBe('in_inbox');
    expect((await publisher.get(queued.id))?.timeline.map(({ event }) => event)).toContain('record_restored');
    expect(await stateOf(later)).toBe('scheduled');
    await eventually(() => worker.isRunning(), ENDED);
    expect((await publisher.waitForCompletion(fresh.id, ENDED)).state).toBe('in_inbox');
    expect(inits()).toBe(5);
    expect(worker.logged('workers take no jobs')).toBe(1);
    expect(await accept()).toMatchObject({ wentBack: false, accepted: false });
  });

  it('notice it after a restart, too, and tell those who never saw more', async (test) => {
    const { server, worker, work, folder, inits, env, stateOf, accept, publisher, ...jobs } =
      await startRestoredWorld(test);
    const { queued, asked, failed } = jobs;
    const { mode } = await stat(join(env.DATA_DIR, 'ledger-mark.json'));
    expect(mode & 0o777).toBe(0o600);
    await worker.close();
    await server.restore();
    const again = await work();
    expect(await troubleOf(again)).toMatch(/restored to an older state/);
    const stranger = await work(join(folder, 'another-machine'));
    expect(await troubleOf(stranger)).toMatch(/restored to an older state/);
    await eventually(() => !again.isRunning() && !stranger.isRunning(), ENDED);
    expect(await stateOf(queued)).toBe('queued');
    expect(inits()).toBe(4);
    const io = capturedIo({ env });
    await runCli(['doctor', '--json'], io);
    expect(io.printed().stdout).toContain('Redis was restored to an older state');

    await accept('--yes');
    const ended = await publisher.waitForCompletion(queued.id, ENDED);
    expect(ended).toMatchObject({ state: 'unconfirmed', failure: { code: 'REDIS_WENT_BACK' } });
    expect((await publisher.waitForCompletion(asked.id, ENDED)).state).toBe('in_inbox');
    // TikTok failed the publish_id that the backup knows, and nobody knows the one that was posted.
    const unknown = await publisher.waitForCompletion(failed.id, ENDED);
    expect(unknown).toMatchObject({ state: 'unconfirmed', failure: { code: 'REDIS_WENT_BACK' } });
    await eventually(() => again.isRunning() && stranger.isRunning(), ENDED);
    expect(inits()).toBe(4);
  });

  it('notice one that lacks just seven heartbeats, the last of which came with the stop, and name its own last heartbeat', async (test) => {
    const { redis, config, server, work, env } = await startWorld(test);
    const { ledgerVersion } = createKeys(config.queuePrefix);
    await (await work()).close();
    const longAgo = Date.parse('2020-01-01T00:00:00Z');
    await redis.hset(ledgerVersion, { count: 78, at: longAgo });
    await server.backUp();
    const worker = await work();
    await eventually(async () => (await redis.hget(ledgerVersion, 'count')) === '79');
    await redis.hset(ledgerVersion, { count: 84, at: longAgo });
    await worker.close();
    expect(lastSeenCount(await readFile(join(env.DATA_DIR, 'ledger-mark.json'), 'utf8'))).toBe(85);
    await server.restore();
    expect(await troubleOf(await work())).toMatch(
      /saw heartbeat 85 .* now has heartbeat 78 .* of 2020-01-01T00:00:00.000Z/,
    );
  });

  it('end no job where a person says that nothing was published since', async (test) => {
    const { server, worker, accept, queued, stateOf } = await startRestoredWorld(test);
    await worker.close();
    await server.restore();
    // This machine saw more, though no worker has looked yet.
    expect(await accept('--yes', '--keep-jobs')).toMatchObject({ wentBack: true, accepted: true });
    expect(await stateOf(queued)).toBe('queued');
    expect(await accept()).toMatchObject({ wentBack: false });
  });

  it('that nobody has seen is settled when a person says so', async (test) => {
    const { server, worker, accept, queued, stateOf, env } = await startRestoredWorld(test);
    await worker.close();
    await rm(env.DATA_DIR, { recursive: true });
    await server.restore();
    expect(await accept('--yes')).toMatchObject({ wentBack: false, accepted: false });
    expect(await stateOf(queued)).toBe('queued');
    expect(await accept('--yes', '--restored')).toMatchObject({ wentBack: false, accepted: true });
    expect(await stateOf(queued)).toBe('unconfirmed');
  });
});

async function startTalkingWorld(test: TestContext) {
  const world = await startWorld(test);
  world.silence.remove();
  return world;
}

describe.concurrent('workers', () => {
  it('go on after a failover that lost some seconds', async (test) => {
    const { redis, config, work, enqueue, publisher, anHourPasses } = await startTalkingWorld(test);
    const worker = await work();
    await anHourPasses();
    await redis.hincrby(createKeys(config.queuePrefix).ledgerVersion, 'count', -5);
    const { id } = await enqueue();
    expect((await publisher.waitForCompletion(id, ENDED)).state).toBe('in_inbox');
    expect(await troubleOf(worker)).toBeUndefined();
  });

  it('that were pointed to another Redis by mistake stop, and do not stop those who work there', async (test) => {
    const { redis, config, env, folder, work, enqueue, publisher, accept, stateOf } = await startTalkingWorld(test);
    const worker = await work();
    // Of another Redis behind the same address.
    const version = { id: 'another-ledger', count: 500, at: Date.now() + 3_600_000 };
    const strangerDir = join(folder, 'stranger');
    await mkdir(strangerDir);
    await writeFile(
      join(strangerDir, 'ledger-mark.json'),
      JSON.stringify({ [`redis://${new URL(env.REDIS_URL ?? '').host} ${config.queuePrefix}`]: version }),
    );
    const done = await enqueue();
    expect((await publisher.waitForCompletion(done.id, ENDED)).state).toBe('in_inbox');
    const stranger = await work(strangerDir);
    expect(await troubleOf(stranger)).toContain('of ledger another-');
    const later = await enqueue({ scheduledAt: new Date(Date.now() + 3_600_000).toISOString() });
    const { id } = await enqueue();
    expect((await publisher.waitForCompletion(id, ENDED)).state).toBe('in_inbox');
    expect(await troubleOf(worker)).toBeUndefined();
    await accept('--yes', '--keep-jobs');
    await eventually(async () => (await troubleOf(stranger)) === undefined && stranger.isRunning(), ENDED);
    expect(await stateOf(later)).toBe('scheduled');
    expect((await createLedgerVersionStore({ redis, keys: createKeys(config.queuePrefix) }).read()).notices).toEqual(
      [],
    );
  });

  it('go on with a Redis that was emptied', async (test) => {
    const { redis, work, enqueue, publisher, anHourPasses } = await startTalkingWorld(test);
    const worker = await work();
    await anHourPasses();
    await redis.flushall();
    const { id } = await enqueue();
    expect((await publisher.waitForCompletion(id, ENDED)).state).toBe('in_inbox');
    expect(await troubleOf(worker)).toBeUndefined();
    await eventually(() => worker.logged('ledger is new') === 1);
  });

  it('go on where nothing can be written to the data folder, and say so once', async (test) => {
    const { folder, work, enqueue, publisher, redis, config } = await startTalkingWorld(test);
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    const worker = await work(join(file, 'data'));
    const { id } = await enqueue();
    expect((await publisher.waitForCompletion(id, ENDED)).state).toBe('in_inbox');
    await redis.hincrby(createKeys(config.queuePrefix).ledgerVersion, 'count', MANY_HEARTBEATS);
    const second = await enqueue();
    expect((await publisher.waitForCompletion(second.id, ENDED)).state).toBe('in_inbox');
    expect(worker.logged('cannot be saved')).toBe(1);
  });
});
