import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { type BenchRedis, startRedis } from '../../../bench/lab.ts';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import { openApp } from '../../../src/app/open-app.ts';
import { openServer } from '../../../src/app/open-server.ts';
import { openMeasuredService } from '../../../src/app/open-service.ts';
import { workerParts } from '../../../src/app/worker-parts.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { sweepOnce } from '../../../src/workers/runtime/sweep.ts';
import { freshPrefix } from '../../support/redis.ts';

/*
 * What happens again and again costs the same however many jobs and accounts there are: a sweep, a scrape of
 * /metrics, the console's first page, which renews itself, and what it shows. Counted are Redis commands, those inside scripts too, and the elements that
 * commands read which read a whole collection.
 */

const FEW_ACCOUNTS = 300;
const MANY_ACCOUNTS = 1_500;
/** Of one account, so that all but one wait for their turn. */
const MORE_JOBS = 2_000;

/** A whole system, without workers that start jobs. */
async function open() {
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  const dataDir = await mkdtemp(join(tmpdir(), 'idle-cost-'));
  const queuePrefix = freshPrefix();
  const environment = {
    ...{ REDIS_URL: redis.url, QUEUE_PREFIX: queuePrefix, DATA_DIR: dataDir, LOG_LEVEL: 'silent', PORT: '0' },
    ...{
      TIKTOK_CLIENT_KEY: 'key',
      TIKTOK_CLIENT_SECRET: 'secret',
      ENCRYPTION_KEYS: Buffer.alloc(32).toString('base64'),
    },
  };
  const app = await openApp(loadConfig(environment));
  onTestFinished(async () => {
    await app.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  const service = await openMeasuredService(app);
  const { url } = await openServer(service);
  const publisher = createPublisherFromConfig({
    redis: { kind: 'url', url: redis.url },
    ...{ dataDir, cacheDir: '', queuePrefix },
  });
  onTestFinished(() => publisher.close());
  const deps = workerParts(service, {});
  await service.ledger.publishIndexes([]);
  await deps.ledgerGuard.look();
  return {
    redis,
    vault: service.vault,
    dueWithinAMinute: () => redis.client.zcount(app.keys.due, '-inf', Date.now() + 60_000),
    enqueue: async (from: number, to: number, account = (n: number) => `creator-${n}`) => {
      const media = { type: 'file', path: '/srv/media/video.mp4' } as const;
      const requests = Array.from(
        { length: to - from },
        (_, n) => ({ account: account(from + n), mode: 'inbox', media }) as const,
      );
      await publisher.enqueueBulk(requests);
    },
    periodic: {
      sweep: async () => {
        // As if no lane had been checked for a while.
        await redis.client.zunionstore(app.keys.lanes, 1, app.keys.lanes, 'WEIGHTS', 0);
        await sweepOnce(deps);
      },
      metrics: () => service.metrics.render(),
      counts: () => publisher.counts(),
      search: () => publisher.list({ waitingFor: 'account_paused' }),
      console: async () => expect((await fetch(url, { headers: { accept: 'text/html' } })).status).toBe(200),
    },
  };
}

const WHOLE_READS =
  /"(ZRANGE|ZREVRANGE|LRANGE)" "([^"]+)" "0" "-1"|"(SMEMBERS|HGETALL|HKEYS)" "([^"]+)"|"(LPOS)" "([^"]+)" "[^"]+"$/i;

/** How many elements there are in the collections that were read as a whole while `run` ran. */
async function elementsRead({ url, client }: BenchRedis, run: () => Promise<unknown>): Promise<number> {
  const monitor = connect(Number(new URL(url).port), '127.0.0.1');
  const keys: string[] = [];
  createInterface(monitor).on('line', (line) => {
    const found = WHOLE_READS.exec(line);
    const key = found?.[2] ?? found?.[4] ?? found?.[6];
    if (key !== undefined) keys.push(key);
  });
  monitor.write('MONITOR\r\n');
  await once(monitor, 'data');
  await run();
  await client.ping();
  monitor.destroy();
  const sizes = await Promise.all(keys.map((key) => sizeOf(client, key)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function sizeOf(client: BenchRedis['client'], key: string): Promise<number> {
  const sizes = { list: 'llen', set: 'scard', zset: 'zcard', hash: 'hlen' } as const;
  const type = await client.type(key);
  return type in sizes ? await client[sizes[type as keyof typeof sizes]](key) : 0;
}

type World = Awaited<ReturnType<typeof open>>;

async function costsOf({ redis, periodic }: World) {
  const costs: Record<string, { commands: number; elements: number }> = {};
  for (const [name, run] of Object.entries(periodic)) {
    // The first one loads scripts, and finds what is new.
    await run();
    const before = await redis.use();
    await run();
    const { commands } = await redis.use();
    costs[name] = { commands: commands - before.commands, elements: await elementsRead(redis, run) };
  }
  return costs;
}

it('sweeps, scrapes, counts and the first page of the console cost no more with more jobs and accounts', async () => {
  const world = await open();
  const { enqueue, vault } = world;
  async function connectAccounts(from: number, to: number): Promise<void> {
    const accounts = Array.from({ length: to - from }, (_, n) => `creator-${from + n}`);
    await Promise.all(
      accounts.map((account) => vault.add({ account, openId: `open-${account}`, accessToken: 'token' })),
    );
  }
  const twoEach = (n: number) => `creator-${Math.floor(n / 2)}`;
  await connectAccounts(0, FEW_ACCOUNTS);
  await enqueue(0, 2 * FEW_ACCOUNTS, twoEach);
  await vault.pause('creator-1');
  const few = await costsOf(world);
  await connectAccounts(FEW_ACCOUNTS, MANY_ACCOUNTS);
  await enqueue(2 * FEW_ACCOUNTS, 2 * MANY_ACCOUNTS, twoEach);
  await enqueue(0, MORE_JOBS, () => 'creator-0');
  expect(await world.dueWithinAMinute()).toBe(0);
  const many = await costsOf(world);
  for (const [name, { commands, elements }] of Object.entries(many)) {
    expect(commands, name).toBeLessThanOrEqual((few[name]?.commands ?? 0) * 1.05);
    expect(elements, name).toBeLessThanOrEqual((few[name]?.elements ?? 0) * 1.05);
  }
});
