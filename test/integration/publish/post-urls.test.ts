import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../../src/core/publish-event.ts';
import { openCase } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';

const PUBLIC = { title: 'Spring', privacyLevel: 'PUBLIC_TO_EVERYONE' } as const;
const photos = { type: 'photos' as const, urls: ['https://videos.example.com/1.jpg'] };

describe('the address of a post', () => {
  const world = usePublishWorld(1_000, { preflight: 'refuse' });

  it.concurrent('is on the job and in its event, with the name that TikTok gave for the creator', async () => {
    const { pipeline, video } = world();
    const { account, ended } = await openCase(pipeline, { username: 'acme_films' });
    const media = { type: 'file', path: video } as const;
    const job = await ended(await pipeline.publisher.enqueue({ account, mode: 'direct', media, post: PUBLIC }));
    const [postId] = job.postIds;
    expect(job.postUrls).toEqual([`https://www.tiktok.com/@acme_films/video/${postId}`]);
    const entries = await pipeline.redis.xrange(pipeline.keys.events, '-', '+');
    const event = entries
      .map(([, fields]) => decodeEvent(fields))
      .find((each) => each?.id.startsWith(`${job.id}-`) && each.type === 'publish.published');
    expect(event?.data).toMatchObject({ postIds: job.postIds, postUrls: job.postUrls });
  });

  it.concurrent('of photos is another one', async () => {
    const { pipeline } = world();
    const { account, ended } = await openCase(pipeline, { username: 'acme.photos' });
    const job = await ended(await pipeline.publisher.enqueue({ account, mode: 'direct', media: photos, post: PUBLIC }));
    expect(job.postUrls).toEqual([`https://www.tiktok.com/@acme.photos/photo/${job.postIds[0]}`]);
  });

  it.concurrent('is known from what TikTok said for the post before', async () => {
    const { pipeline, video } = world();
    const { account, ended, requests } = await openCase(pipeline, { username: 'acme_twice' });
    const media = { type: 'file', path: video } as const;
    for (const title of ['One', 'Two']) {
      const post = { ...PUBLIC, title };
      const job = await ended(
        await pipeline.publisher.enqueue({ account, mode: 'direct', media, post, onDuplicate: 'allow' }),
      );
      expect(job.postUrls).toEqual([expect.stringContaining('/@acme_twice/video/')]);
    }
    expect(requests('creator_info')).toHaveLength(1);
  });
});

describe('without the name of the creator', () => {
  const world = usePublishWorld(1_000, { preflight: 'off' });

  it('a post has ids and no address', async () => {
    const { pipeline, video } = world();
    const { ended, enqueueFile } = await openCase(pipeline);
    const job = await ended(await enqueueFile(video));
    expect(job.postIds).toHaveLength(1);
    expect(job.postUrls).toEqual([]);
  });
});
