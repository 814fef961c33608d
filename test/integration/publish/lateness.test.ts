import { expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { directPost } from '../../support/plain-entries.ts';
import { makeVideo } from '../../support/videos.ts';

const WAIT = { timeoutMs: 90_000 };

it('measures how late scheduled posts begin and are published, and no others', async () => {
  const { publisher, folder, metrics } = await startTestPipeline();
  const path = await makeVideo(folder, 1_000);
  const counts = async () =>
    [...(await metrics.render()).matchAll(/^tiktok_publish_lateness_seconds_count\{until="(\w+)"\} (\d+)$/gm)].map(
      ([, until, count]) => `${until} ${count}`,
    );
  const inMs = (ms: number) => ({ scheduledAt: new Date(Date.now() + ms).toISOString() });
  const unscheduled = await publisher.enqueue(directPost(path, 'now'));
  await publisher.waitForCompletion(unscheduled.id, WAIT);
  expect(await counts()).toEqual(['init 0', 'published 0']);
  const scheduled = await publisher.enqueue({ ...directPost(path, 'later'), ...inMs(700) });
  await publisher.waitForCompletion(scheduled.id, WAIT);
  await eventually(async () => expect(await counts()).toEqual(['init 1', 'published 1']));
  const justOver = await publisher.enqueue({ ...directPost(path, 'over'), ...inMs(-540_000) });
  await publisher.waitForCompletion(justOver.id, WAIT);
  // It counts from when it was accepted.
  expect(await metrics.render()).toContain('tiktok_publish_lateness_seconds_bucket{le="300",until="init"} 2');
});
