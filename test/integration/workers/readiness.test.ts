import { mkdir, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { createWorkers } from '../../../src/workers/index.ts';
import { eventually } from '../../support/eventually.ts';
import { type ProxiedRedis, reloadSlowly, startProxiedRedis } from '../../support/proxied-redis.ts';
import { freshPrefix } from '../../support/redis.ts';

const QUEUES = ['tiktok-publish', 'tiktok-status', 'tiktok-events'];
const CONFIG = ['save 3600 1', 'maxmemory-policy noeviction', 'enable-protected-configs yes'];

/** What a scenario may do harm with. */
interface Harm extends ProxiedRedis {
  readonly folder: string;
}

interface Scenario {
  readonly what: string;
  harm(at: Harm): unknown;
  heal(at: Harm): unknown;
  readonly reason: string;
  /** One reason for all queues. */
  readonly isAboutAll?: true;
}

const SCENARIOS: readonly Scenario[] = [
  {
    what: 'is full',
    harm: ({ operator }) => operator.config('SET', 'maxmemory', '1'),
    heal: ({ operator }) => operator.config('SET', 'maxmemory', '0'),
    reason: 'Redis is full and rejects writes',
  },
  {
    what: 'has too few connected replicas',
    harm: ({ operator }) => operator.config('SET', 'min-replicas-to-write', '1'),
    heal: ({ operator }) => operator.config('SET', 'min-replicas-to-write', '0'),
    reason: 'Redis has too few connected replicas (min-replicas-to-write) and rejects writes',
  },
  {
    what: 'has become a replica',
    harm: ({ operator }) => operator.replicaof('127.0.0.1', 9),
    heal: ({ operator }) => operator.replicaof('NO', 'ONE'),
    reason: 'this Redis is a read-only replica',
  },
  {
    what: 'cannot write to its disk',
    async harm({ operator, folder }) {
      await rm(folder, { recursive: true });
      await operator.bgsave();
      await eventually(async () => (await operator.info('persistence')).includes('rdb_last_bgsave_status:err'));
    },
    async heal({ operator, folder }) {
      await mkdir(folder);
      await operator.config('SET', 'dir', folder);
      await operator.bgsave();
    },
    reason: 'Redis cannot write to its disk and rejects writes',
  },
  {
    what: 'is still loading its data',
    harm: reloadSlowly,
    async heal({ operator }) {
      // The operator's connection waits for the end of the reload.
      const another = operator.duplicate({ enableReadyCheck: false });
      await another.config('SET', 'key-load-delay', '0');
      another.disconnect();
    },
    reason: 'Redis is still loading its data',
  },
  {
    what: 'forbids scripts',
    harm: ({ operator }) => operator.acl('SETUSER', 'default', '-evalsha'),
    heal: ({ operator }) => operator.acl('SETUSER', 'default', '+evalsha'),
    reason: 'the ACL of our Redis user denies EVALSHA',
  },
  {
    what: 'forbids to wait for jobs',
    harm: ({ operator }) => operator.acl('SETUSER', 'default', '-bzpopmin'),
    heal: ({ operator }) => operator.acl('SETUSER', 'default', '+bzpopmin'),
    reason: 'the ACL of our Redis user denies BZPOPMIN',
  },
  {
    what: 'forbids what only jobs need',
    harm: ({ operator }) => operator.acl('SETUSER', 'default', '-zadd'),
    heal: ({ operator }) => operator.acl('SETUSER', 'default', '+zadd'),
    reason: 'Redis rejects commands that jobs need: its user "default" is not allowed to run ZADD',
    isAboutAll: true,
  },
  {
    what: 'is frozen',
    harm: ({ pid }) => process.kill(pid, 'SIGSTOP'),
    heal: ({ pid }) => process.kill(pid, 'SIGCONT'),
    reason: 'Redis does not respond',
  },
  {
    what: 'is behind a network that swallows everything',
    harm: ({ proxy }) => proxy.break('black_hole'),
    heal: ({ proxy }) => proxy.heal(),
    reason: 'Redis does not respond',
  },
  {
    what: 'is gone',
    harm: ({ proxy }) => proxy.break('refuse'),
    heal: ({ proxy }) => proxy.heal(),
    reason: 'Redis cannot be reached',
  },
];

beforeAll(() => {
  const settings = { ENCRYPTION_KEYS: Buffer.alloc(32, 7).toString('base64'), TIKTOK_PUBLISHER_LOG_LEVEL: 'silent' };
  for (const [variable, value] of Object.entries(settings)) vi.stubEnv(variable, value);
});
afterAll(() => vi.unstubAllEnvs());

// All side by side, since a worker waits for twelve seconds before it calls itself not ready.
vi.setConfig({ maxConcurrency: SCENARIOS.length });
describe.concurrent('workers whose Redis', () => {
  it.for(SCENARIOS)('$what say so, and are ready again by themselves', async (scenario, test) => {
    const { expect, onTestFinished } = test;
    const redis = await startProxiedRedis(test, CONFIG);
    const { operator, proxy } = redis;
    const [, folder = ''] = (await operator.config('GET', 'dir')) as string[];
    const workers = await createWorkers({ redisUrl: proxy.url, queuePrefix: freshPrefix() });
    onTestFinished(() => workers.close({ timeoutMs: 0 }));
    // Three that wait for jobs, and the relay of events.
    await eventually(async () => expect(await operator.info('clients')).toContain('blocked_clients:4'));
    expect(await workers.readiness()).toEqual({ ready: true, reasons: [] });

    const at = { ...redis, folder };
    await scenario.harm(at);
    const { reason, isAboutAll } = scenario;
    const reasons = isAboutAll ? [reason] : QUEUES.map((queue) => `${queue} takes no jobs: ${reason}`);
    const notReady = { ready: false, reasons };
    await eventually(async () => expect(await workers.readiness()).toEqual(notReady));
    expect(workers.isRunning()).toBe(false);
    expect(await workers.metrics()).toContain('tiktok_worker_ready{queue="tiktok-publish"} 0');

    await scenario.heal(at);
    await eventually(async () => expect(await workers.readiness()).toEqual({ ready: true, reasons: [] }), {
      timeoutMs: 90_000,
    });
    expect(await workers.metrics()).toContain('tiktok_worker_ready{queue="tiktok-publish"} 1');
  });
});
