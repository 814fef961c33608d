import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { startScriptlessRedis } from '../../support/scriptless-redis.ts';
import { endCommands, runCommand, startCommand } from './command.ts';

afterEach(endCommands);

describe('demo', () => {
  it('kills a worker in an upload: another goes on at the byte that TikTok reports, and there is one post', async () => {
    const [shown, document] = await Promise.all([
      runCommand(['demo'], {}),
      runCommand(['demo', '--json'], { REDIS_URL: testRedisUrl(), npm_command: 'run', npm_lifecycle_event: 'demo' }),
    ]);
    // Without links to pages that are gone, and with the command that keeps them, as it was called.
    const end = shown.stdout.slice(shown.stdout.indexOf('outcome'));
    expect(end).not.toContain('http');
    expect(end).toContain('`tiktok-publisher demo --keep-running`');
    expect(document.stderr).toContain('`npm run demo -- --keep-running`');
    expect(shown.stderr).toContain('uploading: ');
    expect(shown.stdout).toMatch(/worker 1 +killed by SIGKILL after 2\d\.\d MB/);
    expect(shown.stdout).toMatch(/worker 2 +took over after .+, goes on at byte [23]0,000,000, as TikTok reports/);
    expect(shown.stdout).toMatch(/outcome +published as post \d{19}/);
    expect(shown.stdout).toMatch(/posts +1 at the simulated TikTok/);
    expect(shown.stdout).toMatch(/received +48,000,000 bytes in 4 chunks, [\d,]+ bytes sent twice \(the begun chunk/);
    expect(shown.stdout).toContain('identical on both sides');
    expect(shown.exitCode).toBe(0);

    expect(document.stdout.trimEnd().split('\n')).toHaveLength(1);
    const { takeover, received } = JSON.parse(document.stdout);
    expect(received).toMatchObject({ bytes: 48_000_000, chunks: 4, posts: 1 });
    expect(takeover.killedAtBytes).toBeGreaterThanOrEqual(22_000_000);
    // Bytes that were on their way when the worker died may still have completed its chunk.
    expect([20_000_000, 30_000_000]).toContain(takeover.resumedAtByte);
    expect(document.stderr).toContain('TikTok    simulated at');
  });

  it('kills nobody with --quick, and leaves nothing in a Redis that is not its own', async () => {
    const { exitCode, stdout, stderr } = await runCommand(['demo', '--quick', '--json'], {
      REDIS_URL: testRedisUrl(),
      npm_command: 'exec',
      npm_lifecycle_event: 'npx',
    });
    expect(stderr).toContain('`npx tiktok-publisher demo --keep-running`');
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'published',
      sha256Equal: true,
      received: { bytes: 48_000_000, chunks: 4, resentBytes: 0, posts: 1 },
      takeover: null,
    });
    expect(exitCode).toBe(0);
    const redis = new Redis(testRedisUrl());
    expect(await redis.keys('{tiktok-publisher-demo*')).toEqual([]);
    await redis.quit();
  });

  it('stays up with --keep-running until Ctrl-C', async () => {
    const demo = startCommand(['demo', '--quick', '--keep-running'], { REDIS_URL: testRedisUrl() });
    await demo.printed('until you press Ctrl-C');
    const metrics = /metrics +(http:\S+)/.exec(demo.stdout())?.[1] ?? '';
    expect(await (await fetch(metrics)).text()).toContain('outcome="published"} 1');
    demo.kill('SIGINT');
    expect((await demo.ended).exitCode).toBe(0);
  });

  it('ends with 130 when it is interrupted, and its worker with it', async () => {
    const demo = startCommand(['demo'], { REDIS_URL: testRedisUrl() });
    await demo.printed(/job {2,}\S/);
    const pid = Number(/worker 1 +process (\d+)/.exec(demo.stdout())?.[1]);
    demo.kill('SIGINT');
    expect((await demo.ended).exitCode).toBe(130);
    expect(isRunning(pid)).toBe(false);
  });

  it('takes its worker along when it is killed itself', async () => {
    const demo = startCommand(['demo'], { REDIS_URL: testRedisUrl() });
    await demo.printed(/worker 1 +process \d+\n/);
    const pid = Number(/worker 1 +process (\d+)/.exec(demo.stdout())?.[1]);
    demo.kill('SIGKILL');
    await demo.ended;
    await eventually(() => !isRunning(pid), { timeoutMs: 60_000 });
  });

  it('says so instead of hanging where Redis runs no scripts', async () => {
    const { exitCode, stderr } = await runCommand(['demo', '--quick'], { REDIS_URL: await startScriptlessRedis() });
    expect(stderr).toContain('Redis accepted a connection, but ran no script within 20 s');
    expect(exitCode).toBe(3);
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
