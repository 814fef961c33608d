import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PublishRequest } from '../../../src/core/publish-request.ts';
import { createRequestSecrets, sealRequest } from '../../../src/sealing/request-box.ts';
import { rejection } from '../../support/rejection.ts';

const key = randomBytes(32);
const secrets = createRequestSecrets([key]);
const request: PublishRequest = {
  account: 'acme',
  mode: 'inbox',
  media: { type: 'url', url: 'https://user:hidden@cdn.example.com/ä.mp4?sig=hidden' },
};
const seal = () => sealRequest(request, 'job-1', secrets.publicKeys.jwk);

describe('secrets of a request', () => {
  it('are sealed with the public key alone, and opened by the holder of the private one', async () => {
    expect(secrets.publicKeys.jwk).not.toHaveProperty('d');
    const sealed = await seal();
    expect(JSON.stringify(sealed)).not.toContain('hidden');
    expect(await secrets.open(sealed, 'job-1')).toEqual(request);
  });

  it('look different each time', async () => {
    expect((await seal()).sealed).not.toBe((await seal()).sealed);
  });

  it('do not open for another job, changed, or cut short', async () => {
    const sealed = await seal();
    const [header, empty, nonce, body = '', tag] = (sealed.sealed ?? '').split('.');
    const flipped = `${body.startsWith('A') ? 'B' : 'A'}${body.slice(1)}`;
    const damaged = [
      [header, empty, nonce, flipped, tag],
      [header, empty, nonce, body],
      [header, 'A', nonce, body, tag],
    ];
    expect((await rejection(secrets.open(sealed, 'job-2'))).code).toBe('INTERNAL_TAMPERED');
    for (const text of [...damaged.map((parts) => parts.join('.')), '']) {
      expect((await rejection(secrets.open({ ...sealed, sealed: text }, 'job-1'))).code).toBe('INTERNAL_TAMPERED');
    }
  });

  it('open after the keys were rotated, while the old one is kept', async () => {
    const sealed = await seal();
    const newKey = randomBytes(32);
    expect(await createRequestSecrets([newKey, key]).open(sealed, 'job-1')).toEqual(request);
    const error = await rejection(createRequestSecrets([newKey]).open(sealed, 'job-1'));
    expect(error.code).toBe('CONFIG_KEY_UNKNOWN');
    expect(error.message).toMatch(/[0-9a-f]{8}.*request-urls:job-1/);
  });
});
