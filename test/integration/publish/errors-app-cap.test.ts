import { describe, expect, it } from 'vitest';
import { openCase } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';

/** A world of its own: this refusal holds back every other account of the app. */
const world = usePublishWorld(100_000);

describe("an init that the app's cap refuses", () => {
  it('waits with TIKTOK_ACTIVE_USER_CAP, burns no attempt and is published when the cap frees', async () => {
    const { pipeline, video } = world();
    const { fault, enqueueFile, ended, noted, inits } = await openCase(pipeline);
    fault('video_init', { kind: 'status', httpStatus: 403, code: 'reached_active_user_cap' });
    const job = await enqueueFile(video);
    const waiting = await noted(job, 'deferred', 'TIKTOK_ACTIVE_USER_CAP');
    expect(waiting).toMatchObject({ state: 'queued', waitingFor: 'active_user_cap', attempts: 0, failure: null });
    expect(inits()).toHaveLength(1);
    // The sweep sees that there is room again.
    await pipeline.redis.del(pipeline.keys.facts);
    expect(await ended(job)).toMatchObject({ state: 'published', waitingFor: null, attempts: 0 });
    expect(inits()).toHaveLength(2);
  });
});
