import { expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

/** How many runs of a step were measured, and how often they asked Redis. */
async function measured({ metrics }: Pipeline, step: string) {
  const text = await metrics.render();
  const value = (name: string) => Number(new RegExp(`^${name}{step="${step}"} (\\S+)$`, 'm').exec(text)?.[1]);
  return {
    calls: value('tiktok_redis_calls_total'),
    runs: value('tiktok_redis_wait_seconds_count'),
    waitSeconds: value('tiktok_redis_wait_seconds_sum'),
  };
}

it('metrics show how often each step of a publish asks Redis', async () => {
  const pipeline = await startTestPipeline();
  const path = await makeVideo(pipeline.folder, 1_000);
  const post = { title: 'Counted', privacyLevel: 'SELF_ONLY' } as const;
  // Not every run is in the sample.
  await eventually(async () => {
    const { id } = await pipeline.publisher.enqueue({
      account: 'acme',
      mode: 'direct',
      media: { type: 'file', path },
      post,
    });
    await pipeline.publisher.waitForCompletion(id);
    const runs = await Promise.all(['publish', 'status'].map((step) => measured(pipeline, step)));
    return runs.every(({ runs }) => runs >= 1);
  });
  // A claim, and the end of the entry with the fetch of the next, are the least. Most runs of `publish` send a video.
  for (const [step, least, most] of [
    ['publish', 2, 40],
    ['status', 2, 25],
  ] as const) {
    const { runs, calls, waitSeconds } = await measured(pipeline, step);
    expect(calls / runs, step).toBeGreaterThanOrEqual(least);
    expect(calls / runs, step).toBeLessThanOrEqual(most);
    expect(waitSeconds, step).toBeGreaterThan(0);
  }
  expect((await measured(pipeline, 'delivery')).runs).toBe(0);
});
