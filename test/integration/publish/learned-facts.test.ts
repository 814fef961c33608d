import { describe, expect, it } from 'vitest';
import type { PublishRequest } from '../../../src/core/publish-request.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';
import { openCase } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';
import { makeVideo } from '../../support/videos.ts';

const ENDED = { timeoutMs: 90_000 };

function publicPost(account: string, path: string) {
  return {
    ...{ account, mode: 'direct', media: { type: 'file', path } },
    post: { privacyLevel: 'PUBLIC_TO_EVERYONE' },
  } as const satisfies PublishRequest;
}

async function factNamed(pipeline: Pipeline, name: string) {
  return (await pipeline.service.facts.list()).find((fact) => fact.name === name);
}

describe('an app that TikTok has not audited', () => {
  const world = usePublishWorld(100_000, { preflight: 'refuse', simulator: { unaudited: true } });

  it('learns it from one refusal, and refuses the next public post of any account without a call', async () => {
    const { pipeline, video } = world();
    const [first, second] = [await openCase(pipeline), await openCase(pipeline)];
    const refused = await first.ended(await first.enqueueFile(video));
    expect(refused.failure).toMatchObject({
      code: 'TIKTOK_UNAUDITED_CLIENT',
      tiktokCode: 'unaudited_client_can_only_post_to_private_accounts',
    });
    const fact = await factNamed(pipeline, 'audited');
    expect(fact).toMatchObject({ value: false, account: null, jobId: refused.id });

    const next = await second.ended(await second.enqueueFile(video));
    expect(next).toMatchObject({ state: 'failed', failure: { code: 'TIKTOK_UNAUDITED_CLIENT' } });
    expect(next.failure?.tiktokCode).toBeUndefined();
    expect(next.failure?.message).toContain(refused.id);
    expect(next.failure?.message).toContain(fact?.learnedAt);
    const report = await pipeline.publisher.preflight(publicPost(second.account, video));
    expect(report.findings).toContainEqual(
      expect.objectContaining({ code: 'TIKTOK_UNAUDITED_CLIENT', severity: 'refuse' }),
    );
    expect(pipeline.simulator.journal.requests({ openId: second.openId })).toEqual([]);
    // What our own check refused taught nothing.
    expect(await factNamed(pipeline, 'audited')).toEqual(fact);
  });

  it('still publishes to the owner alone', async () => {
    const { pipeline, video } = world();
    const { account, ended } = await openCase(pipeline, { private: true });
    const request = { ...publicPost(account, video), post: { privacyLevel: 'SELF_ONLY' } } as const;
    expect(await ended(await pipeline.publisher.enqueue(request))).toMatchObject({ state: 'published' });
  });
});

describe('an app that was audited meanwhile', () => {
  it('is found out by a retry, after which public posts of all accounts go on', async () => {
    const pipeline = await startTestPipeline({ preflight: 'refuse' });
    const video = await makeVideo(pipeline.folder, 100_000);
    const [first, second] = [await openCase(pipeline), await openCase(pipeline)];
    const code = 'unaudited_client_can_only_post_to_private_accounts';
    first.fault('video_init', { kind: 'status', httpStatus: 403, code });
    const job = await first.ended(await first.enqueueFile(video));
    expect(await factNamed(pipeline, 'audited')).toMatchObject({ value: false, jobId: job.id });
    const held = await second.ended(await second.enqueueFile(video));
    expect(held.failure).toMatchObject({ code: 'TIKTOK_UNAUDITED_CLIENT' });

    await pipeline.publisher.retry(held.id);
    await eventually(async () => {
      expect(await pipeline.publisher.get(held.id)).toMatchObject({ state: 'published' });
    });
    expect(await factNamed(pipeline, 'audited')).toMatchObject({ value: true, jobId: held.id });
    expect(await second.ended(await second.enqueueFile(video))).toMatchObject({ state: 'published' });
  });
});

describe('PREFLIGHT=warn', () => {
  it('notes that the app is not audited, and lets TikTok decide', async () => {
    const pipeline = await startTestPipeline({ preflight: 'warn' });
    const video = await makeVideo(pipeline.folder, 100_000);
    await pipeline.deps.facts.change({ name: 'audited', value: false }, { jobId: 'an earlier job', account: 'acme' });
    const job = await pipeline.publisher.enqueue(publicPost('acme', video));
    const { state, timeline } = await pipeline.publisher.waitForCompletion(job.id, ENDED);
    expect(state).toBe('published');
    expect(timeline).toContainEqual(
      expect.objectContaining({ remarks: expect.arrayContaining([expect.stringContaining('an earlier job')]) }),
    );
    expect(await factNamed(pipeline, 'audited')).toMatchObject({ value: true });
  });
});

describe('caps and readings', () => {
  it("learns a creator's daily cap, warns before it, and forgets it when TikTok accepts more", async () => {
    const pipeline = await startTestPipeline({ simulator: { limits: { postsPerDay: 3 } } });
    const { simulator, publisher, folder } = pipeline;
    const { account, openId, enqueueFile, ended, noted, endWait } = await openCase(pipeline, { postsElsewhere: 1 });
    const video = await makeVideo(folder, 1_000);
    for (let post = 0; post < 2; post += 1) {
      expect(await ended(await enqueueFile(video))).toMatchObject({ state: 'published' });
    }
    const third = await enqueueFile(video);
    await noted(third, 'deferred', 'TIKTOK_DAILY_POST_CAP');
    expect(await factNamed(pipeline, 'dailyPostCap')).toMatchObject({ value: 2, account, jobId: third.id });
    expect((await publisher.preflight(publicPost(account, video))).findings).toContainEqual(
      expect.objectContaining({ code: 'TIKTOK_DAILY_POST_CAP', limit: 'about 2 posts of a creator in 24 hours' }),
    );
    simulator.updateAccount(openId, { postsElsewhere: 0 });
    await endWait('publish', third.id);
    expect(await ended(third)).toMatchObject({ state: 'published' });
    expect(await factNamed(pipeline, 'dailyPostCap')).toBeUndefined();
  });

  it.each(['last-index', 'count'] as const)('learns how TikTok reports an upload: %s', async (reading) => {
    const pipeline = await startTestPipeline({ simulator: { switches: { contentRangeReading: reading } } });
    const { publisher, folder } = pipeline;
    const video = await makeVideo(folder, 11_000_000);
    const { id } = await publisher.enqueue({ account: 'acme', mode: 'inbox', media: { type: 'file', path: video } });
    expect(await publisher.waitForCompletion(id, ENDED)).toMatchObject({ state: 'in_inbox' });
    const value = reading === 'count' ? 'count' : 'last_index';
    expect(await factNamed(pipeline, 'uploadReport')).toMatchObject({ value, account: null, jobId: id });
  });
});
