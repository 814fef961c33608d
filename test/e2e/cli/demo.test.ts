import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { testRedisUrl } from '../../support/redis.ts';
import { endCommands, runCommand, startCommand } from './command.ts';

afterEach(endCommands);

describe('demo', () => {
  it('publishes a real video with no settings at all, and ends by itself', async () => {
    const { exitCode, stdout, stderr } = await runCommand(['demo'], {});
    expect(stderr).toContain('uploading: ');
    expect(stdout).toMatch(/outcome +published as post \d{19}/);
    expect(stdout).toMatch(/received +48,000,000 bytes in 4 chunks, 0 bytes sent twice/);
    expect(stdout).toContain('identical on both sides');
    expect(stdout).toMatch(/board +http:\/\/127\.0\.0\.1:\d+\/board/);
    expect(exitCode).toBe(0);
  });

  it('prints one JSON document, and leaves nothing in a Redis that is not its own', async () => {
    const { exitCode, stdout, stderr } = await runCommand(['demo', '--json'], { REDIS_URL: testRedisUrl() });
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'published',
      sha256Equal: true,
      received: { bytes: 48_000_000, chunks: 4, resentBytes: 0, posts: 1 },
    });
    expect(stderr).toContain('TikTok    simulated at');
    expect(exitCode).toBe(0);
    const redis = new Redis(testRedisUrl());
    expect(await redis.keys('{tiktok-publisher-demo*')).toEqual([]);
    await redis.quit();
  });

  it('stays up with --keep-running until Ctrl-C', async () => {
    const demo = startCommand(['demo', '--keep-running'], { REDIS_URL: testRedisUrl() });
    await demo.printed('until you press Ctrl-C');
    const metrics = /metrics +(http:\S+)/.exec(demo.stdout())?.[1] ?? '';
    expect(await (await fetch(metrics)).text()).toContain('outcome="published"} 1');
    demo.kill('SIGINT');
    expect((await demo.ended).exitCode).toBe(0);
  });

  it('ends with 130 when it is interrupted', async () => {
    const demo = startCommand(['demo'], { REDIS_URL: testRedisUrl() });
    await demo.printed('uploading: ');
    demo.kill('SIGINT');
    expect((await demo.ended).exitCode).toBe(130);
  });
});
