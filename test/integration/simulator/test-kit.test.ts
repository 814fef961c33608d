import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createPublisher } from '../../../src/producers/index.ts';
import { createTestKit } from '../../../src/simulator/index.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { makeVideo } from '../../support/videos.ts';

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-kit-'));
  path = await makeVideo(folder, 1_000);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const direct = () =>
  ({ account: 'acme', mode: 'direct', media: { type: 'file', path }, post: { privacyLevel: 'SELF_ONLY' } }) as const;

describe('the test kit', () => {
  it('publishes with its own Redis, whatever the environment says, and leaves nothing', async () => {
    vi.stubEnv('REDIS_URL', 'redis://127.0.0.1:1');
    vi.stubEnv('PORT', 'none');
    onTestFinished(() => void vi.unstubAllEnvs());
    const kit = await createTestKit({ simulator: { limits: { postsPerDay: 1 } } });
    onTestFinished(() => kit.close());
    // The app under test has a publisher of its own.
    vi.unstubAllEnvs();
    await using publisher = createPublisher({ redisUrl: kit.redisUrl, queuePrefix: kit.queuePrefix });
    const job = await publisher.enqueue(direct());
    expect(await kit.publisher.waitForCompletion(job.id)).toMatchObject({ failure: null, state: 'published' });
    expect(kit.simulator.journal.posts()).toHaveLength(1);
  });

  it('lifts the limits of TikTok between tests, also for jobs that wait for them', async () => {
    await using kit = await createTestKit({ redisUrl: testRedisUrl(), simulator: { limits: { postsPerDay: 1 } } });
    const first = await kit.publisher.enqueue(direct());
    await kit.publisher.waitForCompletion(first.id);
    const second = await kit.publisher.enqueue(direct());
    await eventually(async () => (await kit.publisher.get(second.id))?.waitingFor === 'daily_cap');
    await kit.reset();
    expect(await kit.publisher.waitForCompletion(second.id, { timeoutMs: 60_000 })).toMatchObject({
      failure: null,
      state: 'published',
    });
    expect(kit.simulator.journal.posts()).toHaveLength(1);
  });
});
