import { describe, expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import { parsePublishRequest } from '../../../src/core/publish-request.ts';

const valid = {
  account: 'acme',
  mode: 'direct',
  media: { type: 'file', path: '/videos/a.mp4' },
  post: { title: 'hello', privacyLevel: 'SELF_ONLY' },
};

function refusal(input: unknown): PublishError {
  try {
    parsePublishRequest(input);
  } catch (error) {
    if (error instanceof PublishError) return error;
    throw error;
  }
  throw new Error('expected the request to be refused');
}

const problemPaths = (input: unknown) => refusal(input).details.problems?.map(({ path }) => path);

describe('parsePublishRequest', () => {
  it('takes a full request as it is', () => {
    const request = {
      ...valid,
      version: 1,
      scheduledAt: '2026-12-01T10:00:00+02:00',
      priority: 3,
      callbackUrl: 'https://example.com/done',
      metadata: { yourId: '7' },
    };
    expect(parsePublishRequest(request)).toEqual(request);
  });

  it('takes an inbox request without post settings', () => {
    const request = { account: 'acme', mode: 'inbox', media: { type: 'pull', url: 'https://example.com/a.mp4' } };
    expect(parsePublishRequest(request)).toEqual(request);
  });

  it.each([
    ['2026-12-01T10:00:00+0000', '2026-12-01T10:00:00+00:00'],
    ['2026-12-01T10:00:00-0330', '2026-12-01T10:00:00-03:30'],
    ['2026-12-01T10:00+02', '2026-12-01T10:00:00+02:00'],
    ['20261201T100000Z', '2026-12-01T10:00:00Z'],
    ['2026-12-01 10:00:00.25Z', '2026-12-01T10:00:00.25Z'],
    ['2026-12-01t10:00:00,5z', '2026-12-01T10:00:00.5Z'],
    [' 2026-12-01T10:00:00Z\n', '2026-12-01T10:00:00Z'],
  ])('takes the time %s', (given, time) => {
    expect(parsePublishRequest({ ...valid, scheduledAt: given }).scheduledAt).toBe(time);
    expect(Date.parse(time)).not.toBeNaN();
  });

  it.each(['2026-12-01T10:00:00', '2026-13-01T10:00:00+0000', '2026-02-30 10:00Z', '1764583200', '2026-12-01'])(
    'refuses the time %s',
    (scheduledAt) => expect(problemPaths({ ...valid, scheduledAt })).toEqual(['scheduledAt']),
  );

  it('takes the URL of a local file as its path', () => {
    const pathOf = (path: string) => parsePublishRequest({ ...valid, media: { type: 'file', path } }).media;
    expect(pathOf('file:///srv/a%20b.mp4')).toEqual({ type: 'file', path: '/srv/a b.mp4' });
    expect(pathOf('FILE://localhost/srv/a.mp4')).toEqual({ type: 'file', path: '/srv/a.mp4' });
    const elsewhere = refusal({ ...valid, media: { type: 'file', path: 'file://nas/srv/a.mp4' } });
    expect(elsewhere.message).toContain('file:///srv/a.mp4');
    expect(refusal({ ...valid, media: { type: 'url', url: 'file:///srv/a.mp4' } }).message).toContain('"file"');
  });

  it.each(['nonsense', 'ftp://example.com/a', 'https://'])('names the malformed URL %s once', (url) => {
    const media = { type: 'photos', urls: [url] };
    expect(problemPaths({ ...valid, media, callbackUrl: url })).toEqual(['media.urls.0', 'callbackUrl']);
  });

  it('lists every problem at once', () => {
    const input = {
      account: 'a b',
      mode: 'both',
      media: { type: 'file', path: '' },
      post: { privacyLevel: 'EVERYONE', coverTimestampMs: -1, tittle: 'typo' },
      scheduledAt: 'tomorrow',
      priority: -1,
      callbackUrl: 'https://user:secret@example.com',
      colour: 'red',
    };
    expect(problemPaths(input)?.toSorted()).toEqual([
      'account',
      'callbackUrl',
      'colour',
      'media.path',
      'mode',
      'post.coverTimestampMs',
      'post.privacyLevel',
      'post.tittle',
      'priority',
      'scheduledAt',
    ]);
  });

  it.each([undefined, null, 'text', 7, []])('refuses %j, which is no request', (input) => {
    expect(refusal(input).code).toBe('INPUT_INVALID');
  });

  it('counts a title in UTF-16 units, two for an emoji', () => {
    const withTitle = (title: string) => ({ ...valid, post: { ...valid.post, title } });
    expect(parsePublishRequest(withTitle('x'.repeat(2_200))).post?.title).toHaveLength(2_200);
    expect(parsePublishRequest(withTitle('🎬'.repeat(1_100))).post?.title).toHaveLength(2_200);
    expect(refusal(withTitle('x'.repeat(2_201))).message).toContain('expected at most 2200 UTF-16 units, got 2201');
    expect(problemPaths(withTitle(`${'🎬'.repeat(1_100)}x`))).toEqual(['post.title']);
  });

  it('asks for a privacy level in direct mode, and has none by itself', () => {
    expect(problemPaths({ ...valid, post: { title: 'hello' } })).toEqual(['post.privacyLevel']);
    expect(problemPaths({ ...valid, post: undefined })).toEqual(['post.privacyLevel']);
  });

  it('refuses branded content that only its creator would see', () => {
    expect(problemPaths({ ...valid, post: { privacyLevel: 'SELF_ONLY', brandContent: true } })).toEqual([
      'post.privacyLevel',
    ]);
  });

  it('bounds metadata in bytes of JSON', () => {
    const metadata = { text: 'é'.repeat(1_100) };
    expect(problemPaths({ ...valid, metadata })).toEqual(['metadata']);
  });

  it('refuses a payload of the future by name', () => {
    const error = refusal({ ...valid, version: 2 });
    expect(error).toMatchObject({ code: 'INPUT_VERSION_UNSUPPORTED', message: 'version: expected 1, got 2' });
  });

  it.each([
    { type: 'url', url: 'https://cdn.example.com/a.mp4?signature=s' },
    { type: 'url', url: 'http://cdn.example.com/a.mp4' },
    { type: 's3', bucket: 'videos', key: 'a/ü.mp4', versionId: '7' },
    { type: 'pull', url: 'https://cdn.example.com/a.mp4', fallback: 'upload' },
    { type: 'pull', url: 'http://127.0.0.1:4010/a.mp4' },
    { type: 'photos', urls: ['https://cdn.example.com/a.jpg'], coverIndex: 0 },
    { type: 'file', path: '/srv/a.mp4', via: 'pull', fallback: 'upload' },
    { type: 's3', bucket: 'videos', key: 'a.mp4', via: 'pull' },
    {
      type: 'photos',
      items: [
        { type: 'file', path: '/srv/a.jpg' },
        { type: 's3', bucket: 'photos', key: 'b.webp', versionId: '7' },
        { type: 'url', url: 'http://cdn.example.com/c.jpg' },
        { type: 'pull', url: 'https://cdn.example.com/d.jpg' },
      ],
      coverIndex: 3,
    },
  ])('takes the media %j', (media) => {
    const request = { ...valid, media };
    expect(parsePublishRequest(request)).toEqual(request);
  });

  const photos = (count: number) => Array.from({ length: count }, (_, index) => `https://cdn.example.com/${index}.jpg`);
  it.each([
    [{ type: 'url', url: 'ftp://cdn.example.com/a.mp4' }, 'media.url'],
    [{ type: 'url' }, 'media.url'],
    [{ type: 'pull', url: 'http://cdn.example.com/a.mp4' }, 'media.url'],
    [{ type: 'pull', url: 'https://cdn.example.com/a.mp4', fallback: 'pray' }, 'media.fallback'],
    [{ type: 's3', bucket: '', key: 'k' }, 'media.bucket'],
    [{ type: 's3', bucket: 'b', key: 'ü'.repeat(513) }, 'media.key'],
    [{ type: 's3', bucket: 'b', key: 'k', endpoint: 'https://evil.example.com' }, 'media.endpoint'],
    [{ type: 'photos', urls: [] }, 'media.urls'],
    [{ type: 'photos', urls: photos(36) }, 'media.urls'],
    [{ type: 'photos', urls: ['http://cdn.example.com/a.jpg'] }, 'media.urls.0'],
    [{ type: 'photos', urls: photos(2), coverIndex: 2 }, 'media.coverIndex'],
    [{ type: 'photos', items: [{ type: 'pull', url: 'http://cdn.example.com/a.jpg' }] }, 'media.items.0.url'],
    [{ type: 'photos', items: [{ type: 'file', path: '/a.jpg', via: 'pull' }] }, 'media.items.0.via'],
    [{ type: 'photos', items: [{ type: 'photos', urls: photos(1) }] }, 'media.items.0.type'],
    [{ type: 'photos', items: [{ type: 'file', path: '/a.jpg' }], coverIndex: 1 }, 'media.coverIndex'],
    [{ type: 'photos', items: [{ type: 'file', path: '/a.jpg' }], urls: photos(1) }, 'media'],
    [{ type: 'photos' }, 'media'],
    [{ type: 'file', path: '/a.mp4', via: 'push' }, 'media.via'],
    [{ type: 'file', path: '/a.mp4', fallback: 'upload' }, 'media.fallback'],
    [{ type: 'ftp' }, 'media.type'],
  ])('refuses the media %j by its field', (media, path) => {
    expect(problemPaths({ ...valid, media })).toEqual([path]);
  });

  it('knows which settings and lengths belong to photos, and which to videos', () => {
    const media = { type: 'photos', urls: photos(1) };
    const post = {
      privacyLevel: 'SELF_ONLY',
      title: 'x'.repeat(90),
      description: 'y'.repeat(4_000),
      autoAddMusic: true,
    };
    expect(parsePublishRequest({ ...valid, media, post }).post).toEqual(post);
    const wrong = { ...post, title: 'x'.repeat(91), disableDuet: true, coverTimestampMs: 0 };
    expect(problemPaths({ ...valid, media, post: wrong })?.toSorted()).toEqual([
      'post.coverTimestampMs',
      'post.disableDuet',
      'post.title',
    ]);
    expect(problemPaths({ ...valid, post })?.toSorted()).toEqual(['post.autoAddMusic', 'post.description']);
  });
});
