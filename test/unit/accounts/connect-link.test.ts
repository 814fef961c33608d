import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createConnectLinks } from '../../../src/accounts/connect-link.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const HOUR_MS = 3_600_000;
const [key, newKey] = [randomBytes(32), randomBytes(32)];
const links = createConnectLinks([key]);
const link = links.sign('acme', NOW + HOUR_MS);

describe('a link that connects an account', () => {
  it('is valid until its end, and not after', () => {
    expect(links.isValid(link, NOW)).toBe(true);
    expect(links.isValid(link, NOW + HOUR_MS - 1)).toBe(true);
    expect(links.isValid(link, NOW + HOUR_MS)).toBe(false);
  });

  it.each([
    ['another account', { ...link, account: 'beta' }],
    ['a later end', { ...link, expires: String(Number(link.expires) + 1) }],
    ['an end written otherwise', { ...link, expires: `0${link.expires}` }],
    [
      'another signature',
      { ...link, signature: `${link.signature.startsWith('A') ? 'B' : 'A'}${link.signature.slice(1)}` },
    ],
    ['a shorter signature', { ...link, signature: link.signature.slice(0, 20) }],
    ['no signature', { ...link, signature: '' }],
    ['a part of the end moved into the name', { ...link, account: `acme${link.expires}`, expires: '' }],
  ])('is not valid with %s', (_, altered) => {
    expect(links.isValid(altered, NOW)).toBe(false);
  });

  it('outlives its key while that is kept behind a new one', () => {
    expect(createConnectLinks([newKey, key]).isValid(link, NOW)).toBe(true);
    expect(createConnectLinks([newKey]).isValid(link, NOW)).toBe(false);
    expect(createConnectLinks([newKey, key]).sign('acme', NOW)).toEqual(createConnectLinks([newKey]).sign('acme', NOW));
  });
});
