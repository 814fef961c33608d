import { describe, expect, it } from 'vitest';
import { MAX_PHOTOS, MAX_PRIORITY } from '../../../src/core/post-limits.ts';
import { publishRequestSchema } from '../../../src/core/publish-request.ts';

const photos = (count: number) => ({
  account: 'acme',
  mode: 'inbox',
  media: { type: 'photos', urls: Array.from({ length: count }, (_, index) => `https://example.com/${index}.jpg`) },
});

describe('the limits of a post', () => {
  it('are those that a request is checked by', () => {
    const accepts = (request: object) => publishRequestSchema.safeParse(request).success;
    expect(accepts(photos(MAX_PHOTOS))).toBe(true);
    expect(accepts(photos(MAX_PHOTOS + 1))).toBe(false);
    expect(accepts({ ...photos(1), priority: MAX_PRIORITY })).toBe(true);
    expect(accepts({ ...photos(1), priority: MAX_PRIORITY + 1 })).toBe(false);
  });
});
