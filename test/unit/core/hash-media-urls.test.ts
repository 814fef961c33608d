import { describe, expect, it } from 'vitest';
import { hashMediaUrls } from '../../../src/core/hash-media-urls.ts';

const VIDEO = 'https://videos.example.com/a.mp4';
const pull = (url: string): string => hashMediaUrls({ type: 'pull', url });
const photos = (...urls: string[]): string => hashMediaUrls({ type: 'photos', urls });

describe('hashMediaUrls', () => {
  it.each([
    ['signed by S3', '?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261122T181500Z&X-Amz-Signature=abc'],
    ['signed by Google', '?X-Goog-Expires=900&X-Goog-Signature=abc'],
    ['signed by CloudFront', '?Expires=1795000000&Signature=abc&Key-Pair-Id=K1'],
    ['signed by Azure', '?sv=2024-11-04&se=2026-12-01T00%3A00%3A00Z&sr=b&sp=r&sig=abc'],
    ['with a fragment', '#t=3'],
  ])('is that of the bare URL for one %s', (_what, added) => {
    expect(pull(`${VIDEO}${added}`)).toBe(pull(VIDEO));
  });

  it('is the same for whoever fetches it', () => {
    expect(pull('https://user:secret@videos.example.com/a.mp4')).toBe(pull(VIDEO));
  });

  it.each([
    ['path', 'https://videos.example.com/b.mp4'],
    ['host', 'https://videos.example.org/a.mp4'],
    ['id in the query', `${VIDEO}?id=2`],
    ['version of an object', `${VIDEO}?versionId=7`],
  ])('is another one for another %s', (_what, url) => {
    expect(pull(url)).not.toBe(pull(VIDEO));
  });

  it('tells photos by their URLs and order, whatever their cover', () => {
    const [first, second] = ['https://videos.example.com/1.jpg', 'https://videos.example.com/2.jpg'];
    expect(hashMediaUrls({ type: 'photos', urls: [first, second], coverIndex: 1 })).toBe(photos(first, second));
    expect(photos(second, first)).not.toBe(photos(first, second));
    expect(photos(first)).not.toBe(photos(first, second));
    expect(photos(VIDEO)).not.toBe(pull(VIDEO));
  });

  it('tells photos that TikTok fetches from us by their bytes, wherever they are', () => {
    const at = (path: string, digest: string): string =>
      hashMediaUrls(
        {
          type: 'photos',
          items: [
            { type: 'file', path },
            { type: 'pull', url: VIDEO },
          ],
        },
        [digest],
      );
    expect(at('/a.jpg', 'x')).toBe(at('/b.jpg', 'x'));
    expect(at('/a.jpg', 'x')).not.toBe(at('/a.jpg', 'y'));
    expect(hashMediaUrls({ type: 'photos', items: [{ type: 'pull', url: VIDEO }] })).toBe(photos(VIDEO));
  });

  it('holds nothing of the URL', () => {
    expect(pull(`${VIDEO}?token=secret`)).toMatch(/^[0-9a-f]{64}$/);
  });
});
