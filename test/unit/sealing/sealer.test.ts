import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import { createRequestSecrets, sealRequest } from '../../../src/sealing/request-box.ts';
import { createSealer } from '../../../src/sealing/sealer.ts';
import { rejection } from '../../support/rejection.ts';

const newKey = () => randomBytes(32);
const CONTEXT = 'account:acme:access';

describe('sealer', () => {
  it('opens what it sealed, whatever the text', async () => {
    const sealer = createSealer([newKey()]);
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: 'grapheme', minLength: 1 }),
        async (plaintext, context) => {
          expect(await sealer.open(await sealer.seal(plaintext, context), context)).toBe(plaintext);
        },
      ),
    );
  });

  it('writes header, nonce, ciphertext and tag, without the secret and its context', async () => {
    const sealed = await createSealer([newKey()]).seal('act.planted-secret', CONTEXT);
    expect(sealed).toMatch(/^[\w-]+\.\.[\w-]{16}\.[\w-]+\.[\w-]{22}$/);
    const parts = sealed.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
    expect(JSON.parse(parts[0] ?? '')).toEqual({
      alg: 'dir',
      enc: 'A256GCM',
      kid: expect.stringMatching(/^[0-9a-f]{8}$/),
    });
    expect(parts.join()).not.toMatch(/planted|acme/);
  });

  it('uses a fresh nonce each time', async () => {
    const sealer = createSealer([newKey()]);
    const sealed = await Promise.all(Array.from({ length: 500 }, () => sealer.seal('same', CONTEXT)));
    expect(new Set(sealed.map((text) => text.split('.')[2])).size).toBe(500);
  });

  it('opens nothing in another context', async () => {
    const sealer = createSealer([newKey()]);
    const sealed = await sealer.seal('secret', CONTEXT);
    expect((await rejection(sealer.open(sealed, 'account:other:access'))).code).toBe('INTERNAL_TAMPERED');
  });

  it('notices a change of any byte', async () => {
    const sealer = createSealer([newKey()]);
    const [header = '', empty, ...parts] = (await sealer.seal('a secret of some length', CONTEXT)).split('.');
    for (const [part, text] of parts.entries()) {
      const bytes = Buffer.from(text, 'base64url');
      for (const index of bytes.keys()) {
        const changed = Buffer.from(bytes).fill(bytes.readUInt8(index) ^ 1, index, index + 1);
        const sealed = [header, empty, ...parts.with(part, changed.toString('base64url'))].join('.');
        expect((await rejection(sealer.open(sealed, CONTEXT))).code, `part ${part}, byte ${index}`).toBe(
          'INTERNAL_TAMPERED',
        );
      }
    }
    const sameHeader = Buffer.from(`${Buffer.from(header, 'base64url').toString()} `).toString('base64url');
    const error = await rejection(sealer.open([sameHeader, empty, ...parts].join('.'), CONTEXT));
    expect(error.code).toBe('INTERNAL_TAMPERED');
  });

  it.each(['', 'v1', 'v1.00000000.AAAA.AAAA', 'v2.00000000.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA', 'plain token'])(
    'calls %j tampered instead of guessing',
    async (text) => {
      expect((await rejection(createSealer([newKey()]).open(text, CONTEXT))).code).toBe('INTERNAL_TAMPERED');
    },
  );

  it('opens nothing that a producer sealed with the public key', async () => {
    const key = newKey();
    const { publicKeys } = createRequestSecrets([key]);
    const request = {
      account: 'acme',
      mode: 'inbox',
      media: { type: 'url', url: 'https://example.com/?secret' },
    } as const;
    const { sealed = '' } = await sealRequest(request, 'job-1', publicKeys.jwk);
    const error = await rejection(createSealer([key]).open(sealed, 'request-urls:job-1'));
    expect(error.code).toBe('INTERNAL_TAMPERED');
  });

  it('seals with the first key and opens with every one, so that keys can be rotated', async () => {
    const [oldKey, freshKey] = [newKey(), newKey()];
    const sealedBefore = await createSealer([oldKey]).seal('secret', CONTEXT);
    const rotated = createSealer([freshKey, oldKey]);
    expect(await rotated.open(sealedBefore, CONTEXT)).toBe('secret');
    expect(await rotated.needsReseal(sealedBefore)).toBe(true);
    const resealed = await rotated.seal('secret', CONTEXT);
    expect(await rotated.needsReseal(resealed)).toBe(false);
    expect(await createSealer([freshKey]).open(resealed, CONTEXT)).toBe('secret');
  });

  it('says which key is missing, and for what', async () => {
    const sealed = await createSealer([newKey()]).seal('secret', CONTEXT);
    const error = await rejection(createSealer([newKey()]).open(sealed, CONTEXT));
    expect(error.code).toBe('CONFIG_KEY_UNKNOWN');
    const { kid } = JSON.parse(Buffer.from(sealed.split('.')[0] ?? '', 'base64url').toString());
    expect(error.message).toMatch(new RegExp(`${kid}.*${CONTEXT}`));
  });

  it.each([[[]], [[randomBytes(31)]], [[randomBytes(32), randomBytes(16)]]])(
    'refuses keys that are not 32 bytes',
    (keys) => {
      expect(() => createSealer(keys)).toThrow(PublishError);
    },
  );
});
