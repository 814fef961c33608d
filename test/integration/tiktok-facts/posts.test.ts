import { describe, expect, it } from 'vitest';
import type { DirectPostSettings } from '../../../src/core/new-request.ts';
import { eventually } from '../../support/eventually.ts';
import { RAPID_POLLS } from '../../support/pipeline.ts';
import { openCase, PULL_URL, retriedCodes } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';
import { startWebhookSite } from '../../support/webhook-site.ts';

/** No poll comes by itself while a test runs. */
const SLOW_POLLS = { ...RAPID_POLLS, firstMs: 600_000, maxMs: 600_000 };
const CAPTION = 'First line #one\n@anna\n\nLast line #two\r\nend';
const PRIVATE = ['FOLLOWER_OF_CREATOR', 'MUTUAL_FOLLOW_FRIENDS', 'SELF_ONLY'];

describe('facts of TikTok about posts', () => {
  const world = usePublishWorld(1_000, { preflight: 'refuse' });

  const enqueuePost = async (account: string, post: DirectPostSettings) =>
    await world().pipeline.publisher.enqueue({
      account,
      mode: 'direct',
      media: { type: 'file', path: world().video },
      post,
    });

  it('F5: the line breaks of a caption reach TikTok unchanged, in videos and photos', async () => {
    const { account, ended, publishes } = await openCase(world().pipeline);
    await ended(await enqueuePost(account, { title: CAPTION, privacyLevel: 'SELF_ONLY' }));
    const media = { type: 'photos', urls: ['https://videos.example.com/1.jpg'] } as const;
    const post = { title: CAPTION, description: CAPTION };
    await ended(await world().pipeline.publisher.enqueue({ account, mode: 'inbox', media, post }));
    const [video, photos] = publishes();
    expect(video).toMatchObject({ title: CAPTION, hashtags: ['one', 'two'], mentions: ['anna'] });
    expect(photos?.postInfo).toMatchObject(post);
  });

  it('F7: a photo draft keeps title, description and the label of AI-generated content', async () => {
    const { account, ended, publishes } = await openCase(world().pipeline);
    const media = { type: 'photos', urls: ['https://videos.example.com/1.jpg'] } as const;
    const post = { title: 'Two', description: 'Of a cat', aiGenerated: true };
    const job = await ended(await world().pipeline.publisher.enqueue({ account, mode: 'inbox', media, post }));
    expect(job.state).toBe('in_inbox');
    // Beside post_info on the wire; the simulator shows it with the rest.
    expect(publishes()[0]?.postInfo).toEqual({ title: 'Two', description: 'Of a cat', is_aigc: true });
  });

  it('F4: posts of other apps count, so a job waits although we have not posted', async () => {
    const { account, requests } = await openCase(world().pipeline, { postsElsewhere: 15 });
    const { id } = await enqueuePost(account, { privacyLevel: 'SELF_ONLY' });
    await eventually(async () =>
      expect(await world().pipeline.publisher.get(id)).toMatchObject({ waitingFor: 'daily_cap', failure: null }),
    );
    expect(requests('video_init')).toEqual([]);
  });

  it('F6: a privacy level that TikTok refuses is sent once, and not by the jobs behind it', async () => {
    const { pipeline } = world();
    const { account, openId, ended, inits, posts } = await openCase(pipeline);
    // Remembered as a public account, which its creator then makes private.
    await ended(await enqueuePost(account, { privacyLevel: 'SELF_ONLY' }));
    pipeline.simulator.updateAccount(openId, { privacyLevelOptions: PRIVATE });
    const [first, second] = [
      await ended(await enqueuePost(account, { privacyLevel: 'PUBLIC_TO_EVERYONE' })),
      await ended(await enqueuePost(account, { privacyLevel: 'PUBLIC_TO_EVERYONE' })),
    ];
    expect(first.failure).toMatchObject({
      ...{ code: 'TIKTOK_PRIVACY_MISMATCH', tiktokCode: 'privacy_level_option_mismatch', retryable: false },
    });
    expect(second.failure).toMatchObject({ code: 'TIKTOK_PRIVACY_MISMATCH' });
    expect(inits().filter(({ code }) => code === 'privacy_level_option_mismatch')).toHaveLength(1);
    expect(posts()).toHaveLength(1);
  });

  it('F6: such a refusal is counted by its code, for the alert', async () => {
    const site = await startWebhookSite();
    const act = { kind: 'status', httpStatus: 403, code: 'privacy_level_option_mismatch' } as const;
    site.simulator.faults.add({ endpoint: 'video_init', act, when: { times: 'always' } });
    const { attempts, failure } = await site.ended((await site.enqueue('direct')).id);
    expect([attempts, failure?.code]).toEqual([0, 'TIKTOK_PRIVACY_MISMATCH']);
    expect(site.simulator.journal.requests({ endpoint: 'video_init' })).toHaveLength(1);
    expect(await site.metrics.render()).toContain(
      'tiktok_api_requests_total{endpoint="direct_init",code="privacy_level_option_mismatch"} 1',
    );
  });

  it('F19: states and codes of another API of TikTok are carried through, and end nothing', async () => {
    const { fault, enqueueFile, ended, publishes } = await openCase(world().pipeline);
    for (const [nth, status] of ['PROCESSING', 'PUBLISH_SUCCESS'].entries()) {
      const body = JSON.stringify({ data: { status }, error: { code: 'ok', message: '', log_id: 'L' } });
      fault('status', { kind: 'raw', httpStatus: 200, body }, { nth: nth + 1 });
    }
    fault('video_init', { kind: 'status', httpStatus: 400, code: '51065' });
    const job = await ended(await enqueueFile(world().video));
    expect(job.state).toBe('published');
    expect(retriedCodes(job)).toEqual(['TIKTOK_UNKNOWN_ERROR']);
    expect(JSON.stringify(job.timeline)).toContain('51065');
    expect(publishes()).toHaveLength(1);
  });
});

describe('F21: a pull that TikTok can no longer cancel', () => {
  const world = usePublishWorld(1_000, { polls: SLOW_POLLS });

  it('is asked for its status at once, and ends as that says', async () => {
    const { pipeline } = world();
    const { enqueuePull, ended, requests, posts } = await openCase(pipeline);
    const job = await enqueuePull();
    await eventually(() => posts().length === 1);
    await eventually(async () => (await pipeline.publisher.get(job.id))?.state === 'processing');
    await pipeline.publisher.cancel(job.id);
    const outcome = await ended(job);
    expect(requests('cancel')).toMatchObject([{ code: 'publish_not_cancellable' }]);
    expect(outcome).toMatchObject({ state: 'published', failure: null });
    expect(outcome.timeline.map(({ event }) => event)).toContain('cancel_refused');
    expect(requests('status')).toHaveLength(1);
  });
});

describe('F2 and F18: a sandbox', () => {
  const world = usePublishWorld(1_000, { preflight: 'refuse', simulator: { sandbox: true } });

  it('takes drafts, and refuses a public post by the name of its cause', async () => {
    const { account, enqueueFile, ended } = await openCase(world().pipeline);
    expect((await ended(await enqueueFile(world().video, 'inbox'))).state).toBe('in_inbox');
    const post = { privacyLevel: 'PUBLIC_TO_EVERYONE' } as const;
    const media = { type: 'pull', url: PULL_URL } as const;
    const direct = await ended(await world().pipeline.publisher.enqueue({ account, mode: 'direct', media, post }));
    expect(direct.failure).toMatchObject({ code: 'TIKTOK_UNAUDITED_CLIENT', retryable: true });
  });

  it('wants an account connected again once its token ends, and the job says why it waits', async () => {
    const { pipeline } = world();
    const { account, openId, enqueueFile } = await openCase(pipeline);
    pipeline.simulator.expireAccessToken(openId);
    const { id } = await enqueueFile(world().video, 'inbox');
    await eventually(async () => (await pipeline.publisher.get(id))?.waitingFor === 'reauthorization');
    expect((await pipeline.vault.get(account))?.status).toBe('reauthorization_required');
  });
});
