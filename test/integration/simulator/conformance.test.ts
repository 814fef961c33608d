import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { conformanceText, createTestKit } from '../../../src/simulator/index.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { makeVideo } from '../../support/videos.ts';

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-conformance-'));
  path = await makeVideo(folder, 24_000_000);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('our own client breaks no rule of the contract, also when answers get lost', async () => {
  await using kit = await createTestKit({ redisUrl: testRedisUrl(), accounts: ['acme', 'zoe'] });
  const { simulator, publisher } = kit;
  const lost = { kind: 'drop_after' } as const;
  simulator.expireAccessToken('open-id-of-acme');
  simulator.faults.add({ endpoint: 'video_init', act: lost });
  simulator.faults.add({ endpoint: 'upload', when: { chunkIndex: 0 }, act: lost });
  simulator.faults.add({ endpoint: 'upload', when: { lastChunk: true }, act: lost });
  simulator.faults.add({ endpoint: 'status', act: { kind: 'status', httpStatus: 500 } });
  const media = { type: 'file', path } as const;
  const jobs = [
    await publisher.enqueue({
      account: 'acme',
      mode: 'direct',
      media,
      post: { title: 'Order 7', privacyLevel: 'SELF_ONLY' },
    }),
    await publisher.enqueue({ account: 'zoe', mode: 'inbox', media }),
  ];
  for (const { id } of jobs) expect((await publisher.waitForCompletion(id, { timeoutMs: 120_000 })).failure).toBeNull();
  const report = simulator.conformance();
  expect(report.brokenCount, conformanceText(report)).toBe(0);
  const met = report.rules.filter(({ verdict }) => verdict === 'met').map(({ id }) => id);
  for (const rule of [
    'chunk-count',
    'creator-asked',
    'last-chunk',
    'newest-refresh-token',
    'outcome-learnt',
    'posted-once',
    'put-in-order',
  ]) {
    expect(met).toContain(rule);
  }
});
