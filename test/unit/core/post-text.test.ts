import { describe, expect, it } from 'vitest';
import { mediaName, mediaText, postText } from '../../../src/core/post-text.ts';

describe('mediaName', () => {
  it.each([
    [{ type: 'file', path: '/srv/videos/holiday.mp4' }, 'holiday.mp4'],
    [{ type: 'file', path: 'C:\\videos\\holiday.mp4' }, 'holiday.mp4'],
    [{ type: 'pull', url: 'https://cdn.example/clips/spring.mp4?token=x' }, 'spring.mp4'],
    [{ type: 'url', url: 'https://cdn.example/' }, 'cdn.example'],
    [{ type: 's3', bucket: 'b', key: 'clips/summer.mov' }, 'summer.mov'],
    [{ type: 'photos', urls: ['https://a.example/1.jpg', 'https://a.example/2.jpg'] }, '2 photos'],
    [{ type: 'photos', urls: ['https://a.example/1.jpg'] }, '1 photo'],
    [
      {
        type: 'photos',
        items: [
          { type: 'file', path: '/1.jpg' },
          { type: 'file', path: '/2.jpg' },
        ],
      },
      '2 photos',
    ],
    [{ type: 'unheard-of' }, ''],
  ])('calls %j "%s"', (media, name) => {
    expect(mediaName(media)).toBe(name);
  });
});

describe('postText', () => {
  const media = { type: 'file', path: '/srv/spring.mp4' } as const;

  it('says which post it is on one line: title, video, privacy', () => {
    const post = { title: 'Hello\nfrom\u001b[2J \u202eour kitchen', privacyLevel: 'SELF_ONLY' } as const;
    expect(postText({ media, post }, 80)).toBe('Hello from [2J our kitchen · spring.mp4 · SELF_ONLY');
    expect(postText({ media }, 80)).toBe('spring.mp4');
    expect(postText({ media: { type: 'photos', urls: ['https://a.example/1.jpg'] }, post: { title: 'A' } }, 80)).toBe(
      'A · 1 photo',
    );
  });

  it.each([10, 24, 30, 40])('fits %d characters and cuts the title first', (maxChars) => {
    const post = { title: '🎬'.repeat(100), privacyLevel: 'SELF_ONLY' } as const;
    const text = postText({ media, post }, maxChars);
    expect([...text].length).toBeLessThanOrEqual(maxChars);
    if (maxChars >= 30) expect(text).toMatch(/^🎬+… · spring\.mp4 · SELF_ONLY$/u);
  });
});

describe('mediaText', () => {
  it('says where the video is', () => {
    expect(mediaText({ type: 'file', path: '/srv/spring.mp4' })).toBe('/srv/spring.mp4');
    expect(mediaText({ type: 's3', bucket: 'videos', key: 'a/b.mp4' })).toBe('s3://videos/a/b.mp4');
    expect(mediaText({ type: 'url', url: 'https://a.example/b.mp4' })).toBe('https://a.example/b.mp4');
    const urls = ['https://a.example/1.jpg', 'https://a.example/2.jpg'];
    expect(mediaText({ type: 'photos', urls })).toBe('2 photos, the first https://a.example/1.jpg');
    expect(mediaText({ type: 'photos', items: [{ type: 'file', path: '/1.jpg' }] })).toBe('1 photo, the first /1.jpg');
  });
});
