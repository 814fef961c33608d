import { describe, expect, it } from 'vitest';
import type { PublishRequest } from '../../../src/core/publish-request.ts';
import {
  holdsSecrets,
  mayHoldSecretUrl,
  withOpenedUrls,
  withoutSecretParts,
  withoutSecrets,
  withoutSecretUrls,
  withSealedUrls,
} from '../../../src/core/request-secrets.ts';

const seal = async (plaintext: string) => Buffer.from(plaintext).toString('base64url');
const open = async (sealed: string) => Buffer.from(sealed, 'base64url').toString();
const inbox = { account: 'acme', mode: 'inbox' } as const;

const secretRequests: PublishRequest[] = [
  { ...inbox, media: { type: 'url', url: 'https://cdn.example.com/a.mp4?X-Amz-Signature=hidden' } },
  { ...inbox, media: { type: 'url', url: 'https://user:hidden@cdn.example.com/a.mp4' } },
  { ...inbox, media: { type: 'pull', url: 'https://cdn.example.com/a.mp4?hidden' } },
  { ...inbox, media: { type: 'photos', urls: ['https://a.example.com/1.jpg', 'https://a.example.com/2.jpg?hidden'] } },
  {
    ...inbox,
    media: {
      type: 'photos',
      items: [
        { type: 'file', path: '/1.jpg' },
        { type: 'url', url: 'https://user:hidden@a.example.com/2.jpg' },
        { type: 'pull', url: 'https://a.example.com/3.jpg?hidden' },
      ],
    },
  },
  { ...inbox, media: { type: 'url', url: 'https://a.example.com/a.mp4?hidden', via: 'pull' } },
  { ...inbox, media: { type: 'file', path: '/a.mp4' }, callbackUrl: 'https://app.example.com/done?token=hidden' },
];

describe('secrets in requests', () => {
  it.each(secretRequests)('are out of sight once sealed, and whole when opened: %j', async (request) => {
    expect(holdsSecrets(request)).toBe(true);
    const sealed = await withSealedUrls(request, seal);
    const { sealed: box, ...shown } = sealed;
    expect(JSON.stringify(shown)).not.toContain('hidden');
    expect(box).toBe(await seal(await open(box ?? '')));
    expect(await withOpenedUrls(sealed, open)).toEqual(request);
  });

  it.each(secretRequests)('are not shown, sealed or not: %j', async (request) => {
    const shown = withoutSecrets(request);
    expect(JSON.stringify(shown)).not.toContain('hidden');
    expect(withoutSecrets(await withSealedUrls(request, seal))).toEqual(shown);
  });

  it.each([
    ['order-1234', false],
    ['import-https://cdn.example.com/a.mp4', false],
    ['import-https://cdn.example.com/a.mp4?sig=x', true],
    ['https://user:word@cdn.example.com/a.mp4', true],
    ['#7 is @home?', false],
  ])('may be in the key %s: %j', (key, expected) => {
    expect(mayHoldSecretUrl(key)).toBe(expected);
  });

  it('are none in a request whose URLs are plain, which stays as it is', async () => {
    const request: PublishRequest = { ...inbox, media: { type: 'url', url: 'https://cdn.example.com/a.mp4' } };
    expect(holdsSecrets(request)).toBe(false);
    expect(await withSealedUrls(request, seal)).toBe(request);
    expect(await withOpenedUrls(request, open)).toBe(request);
  });

  it('are everything in a URL but its scheme, host, port and path', () => {
    expect(withoutSecretParts('https://u:p@cdn.example.com:8443/a%20b.mp4?q=1#f')).toBe(
      'https://cdn.example.com:8443/a%20b.mp4',
    );
  });

  it('are not taken from a box that holds something else', async () => {
    const request: PublishRequest = {
      ...inbox,
      media: { type: 'url', url: 'https://cdn.example.com/a.mp4' },
      sealed: 'x',
    };
    await expect(withOpenedUrls(request, async () => '{"media.url":7}')).rejects.toThrow(
      'changed after they were stored',
    );
    await expect(withOpenedUrls(request, async () => 'no json')).rejects.toThrow('changed after they were stored');
  });
});

describe('hostile texts', () => {
  it.each([
    ['slashes', `https:${'//'.repeat(400_000)}`],
    ['slashes and signs', `http://${'//@'.repeat(200_000)} `],
    ['URLs', 'https://'.repeat(100_000)],
    ['white space', `${' '.repeat(800_000)}https`],
  ])('are read in linear time: %s', (_, text) => {
    expect(typeof withoutSecretUrls({ text })).toBe('object');
    expect(typeof mayHoldSecretUrl(text)).toBe('boolean');
  });

  it('keep no login of a URL that cannot be parsed', () => {
    expect(withoutSecretUrls('https://user:pw@a b/c?x=1')).toBe('https://a b/c');
  });

  it('are left out where they lie too deep', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`) as unknown;
    expect(JSON.stringify(withoutSecretUrls(deep))).toMatch(/^({"a":){32}null}+$/);
  });
});
