import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { runCommand, startCommand } from '../e2e/cli/command.ts';
import { serverOfTest, urlOf } from '../support/replicated-redis.ts';
import { runJobSuite } from './job-suite.ts';
import { otherEngine } from './other-engines.ts';
import * as ways from './ways.ts';

const KEY = randomBytes(32).toString('base64');

vi.setConfig({ maxConcurrency: 2 });

/** Those whose packages can be had here. */
const others = [
  { name: 'Redis 8', program: await otherEngine({ server: 'redis', release: 'trixie' }) },
  { name: 'Valkey 8', program: await otherEngine({ server: 'valkey', release: 'trixie' }) },
  { name: 'Valkey 9', program: await otherEngine({ server: 'valkey', release: 'sid' }) },
];

describe.concurrent('the whole job suite, with a worker that is killed, runs on', () => {
  it.for([
    ['a single Redis', ways.single],
    ['Sentinel, with a failover', ways.sentinel],
    ['a cluster of three masters and three replicas, with a failover', ways.cluster],
    ['rediss:// with a private CA and a client certificate', ways.encrypted],
    ['users with the documented least rights', ways.leastRights],
    ['a database other than 0', ways.numberedDatabase],
    ['a hosted one without CONFIG and CLIENT that closes idle connections', ways.hosted],
    ['an address that leads to another master after a failover', ways.movedAddress],
  ] as const)('%s', async ([, start], test) => {
    await runJobSuite(await start(test), { withKill: true }, test);
  });
});

describe.concurrent('the whole job suite runs on another engine:', () => {
  for (const { name, program } of others) {
    it.skipIf(program === undefined).for([
      ['single', ways.single],
      ['Sentinel', ways.sentinel],
      ['cluster', ways.cluster],
    ] as const)(`${name}, %s`, async ([, start], test) => {
      await runJobSuite(await start(test, program), { withKill: true, engine: name }, test);
    });
  }
});

describe.concurrent('a Redis that cannot be relied on', () => {
  it('is told apart: a node of a cluster that is used as a single Redis', async (test) => {
    const { settings, elsewhere } = await ways.cluster(test);
    const service = { ENCRYPTION_KEYS: KEY, ...settings, REDIS_CLUSTER_NODES: '', REDIS_URL: await elsewhere() };
    const { exitCode, stderr } = await runCommand(['worker'], service);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('it is a node of a Redis Cluster');
    expect(stderr).toContain('REDIS_CLUSTER_NODES');
  });

  it('is told apart: one that evicts', async (test) => {
    const server = await serverOfTest(test, ['maxmemory-policy allkeys-lru']);
    const service = { ENCRYPTION_KEYS: KEY, REDIS_URL: urlOf(server) };
    const doctor = await runCommand(['doctor'], service);
    expect(doctor.exitCode).toBe(3);
    expect(doctor.stdout).toMatch(/fail +redis +it may evict jobs and accounts .* maxmemory-policy is allkeys-lru/);
    const worker = startCommand(['worker'], service);
    test.onTestFinished(() => worker.kill('SIGKILL'));
    await worker.printed(/Eviction policy is allkeys-lru/);
    worker.kill('SIGTERM');
    await worker.ended;
  });
});
