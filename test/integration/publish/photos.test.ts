import { describe, expect, it } from 'vitest';
import type { DirectRequest, InboxRequest, Media } from '../../../src/core/new-request.ts';
import { openCase, retriedCodes } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';

const urls = ['https://videos.example.com/1.jpg', 'https://videos.example.com/2.jpg?signature=planted-secret'];
const photos = { type: 'photos' as const, urls, coverIndex: 1 };

describe('photos', () => {
  const world = usePublishWorld(1_000, { preflight: 'refuse' });

  const enqueue = async (
    account: string,
    request: Pick<DirectRequest, 'mode' | 'post'> | Pick<InboxRequest, 'mode' | 'post'>,
    media: Media = photos,
  ) => await world().pipeline.publisher.enqueue({ ...request, account, media });

  it.concurrent('are posted with their settings, once', async () => {
    const { account, ended, inits, posts, publishes, requests } = await openCase(world().pipeline);
    const post = {
      title: 'Two photos',
      description: 'Of a cat',
      privacyLevel: 'PUBLIC_TO_EVERYONE',
      disableComment: true,
      autoAddMusic: true,
      aiGenerated: true,
    } as const;
    const job = await ended(await enqueue(account, { mode: 'direct', post }));
    expect(job).toMatchObject({ state: 'published', publishId: expect.stringMatching(/^p_pub_url/) });
    expect(inits().map(({ endpoint }) => endpoint)).toEqual(['content_init']);
    expect(requests('creator_info')).toHaveLength(1);
    expect(posts()).toHaveLength(1);
    expect(publishes()[0]?.postInfo).toMatchObject({
      title: 'Two photos',
      description: 'Of a cat',
      privacy_level: 'PUBLIC_TO_EVERYONE',
      disable_comment: true,
      auto_add_music: true,
      is_aigc: true,
    });
  });

  it.concurrent('become a draft with title and description alone', async () => {
    const { account, ended, publishes } = await openCase(world().pipeline);
    const job = await ended(await enqueue(account, { mode: 'inbox', post: { title: 'Draft', description: 'Text' } }));
    expect(job.state).toBe('in_inbox');
    expect(publishes()[0]).toMatchObject({ kind: 'inbox', postInfo: { title: 'Draft', description: 'Text' } });
  });

  it.concurrent('whose init was not answered end unconfirmed, and are not sent again', async () => {
    const { account, ended, fault, inits } = await openCase(world().pipeline);
    fault('content_init', { kind: 'drop_after' });
    const job = await ended(await enqueue(account, { mode: 'inbox' }));
    expect(job).toMatchObject({ state: 'unconfirmed', failure: { code: 'TIKTOK_LOST_INIT' } });
    expect(inits()).toHaveLength(1);
  });

  it.concurrent('that TikTok cannot fetch the first time are sent afresh, and posted once', async () => {
    const { account, ended, fault, posts } = await openCase(world().pipeline);
    fault('content_init', { kind: 'fail_processing', failReason: 'photo_pull_failed' });
    const job = await ended(await enqueue(account, { mode: 'direct', post: { privacyLevel: 'SELF_ONLY' } }));
    expect(job.state).toBe('published');
    expect(retriedCodes(job)).toEqual(['TIKTOK_PULL_FAILED']);
    expect(posts()).toHaveLength(1);
  });

  it.concurrent('that nobody verified fail with what to do', async () => {
    const { account, ended } = await openCase(world().pipeline);
    const media = { type: 'photos' as const, urls: ['https://elsewhere.example.com/1.jpg'], coverIndex: 0 };
    const job = await ended(await enqueue(account, { mode: 'inbox' }, media));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'TIKTOK_URL_UNVERIFIED' } });
  });
});
