import { expect, it, onTestFinished } from 'vitest';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createCallSampler, type RedisUse } from '../../../src/redis/sampled-calls.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

async function startSampling() {
  const redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
  onTestFinished(() => closeRedis(redis));
  const clock = { ms: 0 };
  const sampleCalls = createCallSampler(() => clock.ms);
  const key = freshPrefix();
  /** Runs it, and resolves with how many calls were counted; undefined if none of them was looked at. */
  async function countOf(run: () => Promise<unknown>): Promise<number | undefined> {
    const uses: RedisUse[] = [];
    await sampleCalls(run, (use) => void uses.push({ calls: use.calls, waitMs: use.waitMs }));
    if (uses[0] !== undefined && uses[0].calls > 0) expect(uses[0].waitMs).toBeGreaterThan(0);
    return uses[0]?.calls;
  }
  return { redis, clock, key, countOf };
}

/** What waits until it is opened. */
function createGate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

it('a command, a script and a whole pipeline count as one call each, whoever else calls meanwhile', async () => {
  const { redis, key, countOf } = await startSampling();
  const alone = countOf(async () => {
    await redis.get(key);
    await redis.eval('return 1', 1, key);
    await redis.pipeline().get(key).get(key).get(key).exec();
    await redis.multi().get(key).get(key).exec();
  });
  const together = countOf(() => Promise.all([redis.get(key), redis.get(key)]));
  await redis.get(key);
  expect(await alone).toBe(4);
  expect(await together).toBe(2);
});

it('after a sample nothing is counted for nine times as long, and what takes too long is left out', async () => {
  const { redis, clock, key, countOf } = await startSampling();
  const call = () => redis.get(key);
  const callAt = async (ms: number) => {
    clock.ms = ms;
    return await countOf(call);
  };
  const gate = createGate();
  const first = countOf(async () => {
    await gate.opened;
    await call();
  });
  expect(await callAt(900)).toBe(1);
  expect(await callAt(1_100)).toBeUndefined();
  clock.ms = 2_000;
  gate.open();
  expect(await first).toBe(1);
  expect(await callAt(19_999)).toBeUndefined();

  clock.ms = 20_000;
  const end = createGate();
  const endless = countOf(() => end.opened);
  expect(await callAt(51_000)).toBeUndefined();
  end.open();
  expect(await endless).toBeUndefined();
  expect(await callAt(329_000)).toBeUndefined();
  expect(await callAt(331_000)).toBe(1);
});
