import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import { createBoxOpener, sealTo } from '../../../src/sealing/box.ts';

const key = randomBytes(32);
const opener = createBoxOpener([key]);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof PublishError) return error.code;
    throw error;
  }
  throw new Error('expected an error');
}

describe('a box', () => {
  it('opens for the holder of the key, whatever was put in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, context) => {
        const plain = Buffer.from(text).toString();
        expect(opener.open(sealTo(opener.publicKey, plain, context), context)).toBe(plain);
      }),
      { numRuns: 40 },
    );
  });

  it('looks different each time', () => {
    expect(sealTo(opener.publicKey, 'same', 'c')).not.toBe(sealTo(opener.publicKey, 'same', 'c'));
  });

  it('does not open elsewhere, changed, or cut short', () => {
    const sealed = sealTo(opener.publicKey, 'secret', 'job-1');
    const [format, id, once, body = ''] = sealed.split('.');
    const flipped = `${body.startsWith('A') ? 'B' : 'A'}${body.slice(1)}`;
    expect(codeOf(() => opener.open(sealed, 'job-2'))).toBe('INTERNAL_TAMPERED');
    expect(codeOf(() => opener.open([format, id, once, flipped].join('.'), 'job-1'))).toBe('INTERNAL_TAMPERED');
    expect(codeOf(() => opener.open([format, id, once].join('.'), 'job-1'))).toBe('INTERNAL_TAMPERED');
    expect(codeOf(() => opener.open('', 'job-1'))).toBe('INTERNAL_TAMPERED');
  });

  it('opens after the keys were rotated, while the old one is kept', () => {
    const sealed = sealTo(opener.publicKey, 'secret', 'c');
    const newKey = randomBytes(32);
    expect(createBoxOpener([newKey, key]).open(sealed, 'c')).toBe('secret');
    expect(codeOf(() => createBoxOpener([newKey]).open(sealed, 'c'))).toBe('CONFIG_KEY_UNKNOWN');
  });

  it('is refused to a public key that is none', () => {
    expect(codeOf(() => sealTo('c2hvcnQ', 'secret', 'c'))).toBe('CONFIG_INVALID');
  });
});
