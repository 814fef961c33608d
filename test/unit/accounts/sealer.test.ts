import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSealer } from '../../../src/accounts/sealer.ts';
import { PublishError } from '../../../src/core/publish-error.ts';

const newKey = () => randomBytes(32);
const CONTEXT = 'account:acme:access';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof PublishError) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

describe('sealer', () => {
  it('opens what it sealed, whatever the text', () => {
    const sealer = createSealer([newKey()]);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (plaintext, context) => {
        expect(sealer.open(sealer.seal(plaintext, context), context)).toBe(plaintext);
      }),
    );
  });

  it('writes version, key id, nonce and ciphertext, without the secret', () => {
    const sealed = createSealer([newKey()]).seal('act.planted-secret', CONTEXT);
    expect(sealed).toMatch(/^v1\.[0-9a-f]{8}\.[\w-]{16}\.[\w-]+$/);
    expect(Buffer.from(sealed.split('.')[3] ?? '', 'base64url').toString('latin1')).not.toContain('planted');
  });

  it('uses a fresh nonce each time', () => {
    const sealer = createSealer([newKey()]);
    const nonces = Array.from({ length: 500 }, () => sealer.seal('same', CONTEXT).split('.')[2]);
    expect(new Set(nonces).size).toBe(500);
  });

  it('opens nothing in another context', () => {
    const sealer = createSealer([newKey()]);
    const sealed = sealer.seal('secret', CONTEXT);
    expect(codeOf(() => sealer.open(sealed, 'account:other:access'))).toBe('INTERNAL_TAMPERED');
  });

  it('notices a change of any byte', () => {
    const sealer = createSealer([newKey()]);
    const [format, keyId, ...parts] = sealer.seal('a secret of some length', CONTEXT).split('.');
    const bytes = Buffer.concat(parts.map((part) => Buffer.from(part, 'base64url')));
    for (const index of bytes.keys()) {
      const changed = Buffer.from(bytes).fill(bytes.readUInt8(index) ^ 1, index, index + 1);
      const sealed = [
        format,
        keyId,
        changed.subarray(0, 12).toString('base64url'),
        changed.subarray(12).toString('base64url'),
      ];
      expect(
        codeOf(() => sealer.open(sealed.join('.'), CONTEXT)),
        `byte ${index}`,
      ).toBe('INTERNAL_TAMPERED');
    }
  });

  it.each(['', 'v1', 'v1.00000000.AAAA.AAAA', 'v2.00000000.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA', 'plain token'])(
    'calls %j tampered instead of guessing',
    (text) => {
      expect(codeOf(() => createSealer([newKey()]).open(text, CONTEXT))).toBe('INTERNAL_TAMPERED');
    },
  );

  it('seals with the first key and opens with every one, so that keys can be rotated', () => {
    const [oldKey, freshKey] = [newKey(), newKey()];
    const sealedBefore = createSealer([oldKey]).seal('secret', CONTEXT);
    const rotated = createSealer([freshKey, oldKey]);
    expect(rotated.open(sealedBefore, CONTEXT)).toBe('secret');
    expect(rotated.needsReseal(sealedBefore)).toBe(true);
    const resealed = rotated.seal('secret', CONTEXT);
    expect(rotated.needsReseal(resealed)).toBe(false);
    expect(createSealer([freshKey]).open(resealed, CONTEXT)).toBe('secret');
  });

  it('says which key is missing, and for what', () => {
    const sealed = createSealer([newKey()]).seal('secret', CONTEXT);
    const open = () => createSealer([newKey()]).open(sealed, CONTEXT);
    expect(codeOf(open)).toBe('CONFIG_KEY_UNKNOWN');
    expect(open).toThrow(new RegExp(`${sealed.split('.')[1]}.*${CONTEXT}`));
  });

  it.each([[[]], [[randomBytes(31)]], [[randomBytes(32), randomBytes(16)]]])(
    'refuses keys that are not 32 bytes',
    (keys) => {
      expect(codeOf(() => createSealer(keys))).toBe('CONFIG_INVALID');
    },
  );
});
