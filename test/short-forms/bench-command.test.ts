import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { leastAcl, NEEDED_BY_SERVICES } from '../../src/redis/needed-commands.ts';
import { endCommands, freshEnvironment, runCommand, startCommand } from '../e2e/cli/command.ts';
import { eventually } from '../support/eventually.ts';
import { freshPrefix, testRedisUrl } from '../support/redis.ts';
import { startRedisServer } from '../support/redis-server.ts';

afterEach(endCommands);

const HOUR_MS = 3_600_000;
const SMALL = ['--publishes', '12', '--concurrency', '4'];

function connect(url = testRedisUrl()): Redis {
  const redis = new Redis(url);
  onTestFinished(() => void redis.disconnect());
  return redis;
}

/** How the keys of a run that began so long ago begin. */
function runBefore(prefix: string, ageMs: number): string {
  return `${prefix}:bench:${(Date.now() - ageMs).toString(36)}-00000000`;
}

const latency = (count: number) => ({ count, p50Ms: expect.any(Number), p99Ms: expect.any(Number) });
const some = { count: expect.any(Number), p50Ms: expect.any(Number), p99Ms: expect.any(Number) };

describe('bench', () => {
  it('prints one JSON document, and leaves only what is not its own', async () => {
    const env = freshEnvironment();
    const prefix = env.QUEUE_PREFIX ?? '';
    const redis = connect();
    const kept = [`${prefix}:job:real`, `${prefix}:benchmark`, `${runBefore(prefix, HOUR_MS / 2)}:jobs`].sort();
    await redis.mset([...kept, `${runBefore(prefix, 2 * HOUR_MS)}:jobs`].flatMap((key) => [key, 'a value']));
    const { exitCode, stdout, stderr } = await runCommand(['bench', '--json', ...SMALL], env);
    expect(stderr).toMatch(/removed +keys that earlier runs left behind: 1\n/);
    expect(exitCode).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const report = JSON.parse(stdout);
    // Two, unless the machine is so busy that the time for them is over after the first.
    const alone = report.oneAtATime.publishes;
    expect([1, 2]).toContain(alone);
    expect(report).toEqual({
      redis: { version: expect.stringMatching(/^\d/), address: expect.any(String), origin: 'REDIS_URL' },
      notes: expect.any(Array),
      concurrency: 4,
      durationMs: expect.any(Number),
      publishesPerSecond: expect.any(Number),
      publishesPerDay: expect.any(Number),
      oneAtATime: { publishes: alone, ping: some, enqueue: latency(alone), claim: latency(alone), poll: some },
      fullLoad: { publishes: 12, ping: some, enqueue: latency(12), claim: latency(12), poll: some },
      cpu: {
        process: expect.any(Number),
        redis: expect.any(Number),
        machine: expect.any(Number),
        cores: expect.any(Number),
      },
      cpuMsPerPublish: expect.any(Number),
      limitedBy: expect.stringMatching(/^(redis|process|machine|waiting)$/),
    });
    expect(report.publishesPerDay / report.publishesPerSecond).toBeCloseTo(86_400, -3);
    expect((await redis.keys(`${prefix}*`)).sort()).toEqual(kept);
    expect(await redis.mget(kept)).toEqual(['a value', 'a value', 'a value']);
  });

  it('says with which Redis it ran, if none is configured', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const { exitCode, stdout } = await runCommand(['bench', ...SMALL], { DATA_DIR: folder });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Redis +\d\S+ at redis:\/\/127\.0\.0\.1:\d+ \(no REDIS_URL: one of our own, in DATA_DIR/);
    expect(stdout).toMatch(/^claim( +\d+(\.\d+)?){4}$/m);
    expect(stdout).toMatch(/^publishes +\d+ per second \(12 in /m);
  });

  it('removes its keys at Ctrl-C, which npx sends a second time', async () => {
    const env = freshEnvironment();
    const redis = connect();
    const bench = startCommand(['bench', '--publishes', '5000'], env);
    await bench.printed('load  ');
    await untilJobs(redis, env.QUEUE_PREFIX ?? '');
    bench.kill('SIGINT');
    // The system makes one of two signals that come too soon.
    for (let call = 0; call < 3; call += 1) await redis.ping();
    bench.kill('SIGINT');
    expect((await bench.ended).exitCode).toBe(130);
    expect(await redis.keys(`${env.QUEUE_PREFIX}*`)).toEqual([]);
  });

  it('works with the least that a Redis user of workers may do and SCAN, and asks for SCAN first', async () => {
    const server = await startRedisServer(['save ""']);
    onTestFinished(() => server.close());
    const address = `127.0.0.1:${server.port}`;
    const operator = connect(`redis://${address}`);
    const prefix = freshPrefix();
    const grant = (rules: string) => operator.call('ACL', 'SETUSER', 'app', ...rules.split(' '));
    await grant(`reset on >pw ${leastAcl(NEEDED_BY_SERVICES, prefix)}`);
    const env = { REDIS_URL: `redis://app:pw@${address}`, QUEUE_PREFIX: prefix };
    const refused = await runCommand(['bench', ...SMALL], env);
    expect(refused.stderr).toContain('the ACL of our Redis user denies SCAN');
    expect(refused.exitCode).toBe(3);
    await grant('+scan');
    const { exitCode, stdout } = await runCommand(['bench', ...SMALL], env);
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain(':pw');
    expect(await operator.keys('*')).toEqual([]);
  });

  it('refuses to fill a Redis that real jobs need', async () => {
    const server = await startRedisServer(['save ""', 'maxmemory 40mb']);
    onTestFinished(() => server.close());
    const url = `redis://127.0.0.1:${server.port}`;
    const { exitCode, stderr } = await runCommand(['bench'], { REDIS_URL: url });
    expect(stderr).toContain('publishes need 76.5 MB of the Redis');
    expect(stderr).toContain('Use a smaller --publishes');
    expect(exitCode).toBe(3);
    expect(await connect(url).keys('*')).toEqual([]);
  });
});

async function untilJobs(redis: Redis, prefix: string): Promise<void> {
  await eventually(async () => (await redis.keys(`${prefix}:bench:*:job:*`)).length > 10);
}
