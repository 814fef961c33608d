import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../../src/outbound/public-address.ts';

const REFUSED = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.100.100.200', '127.0.0.1', '127.255.255.254'],
  ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.168.1.1', '192.0.0.8', '192.0.2.1', '192.88.99.1'],
  ...['198.18.0.1', '198.51.100.7', '203.0.113.9', '224.0.0.1', '240.0.0.1', '255.255.255.255', '168.63.129.16'],
  ...[
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd00:ec2::254',
    'fec0::1',
    'ff02::1',
    '100::1',
    '2001:db8::1',
  ],
  ...['2001::1', '2001:2::1', '2002:7f00:1::', '2002:808:808::', '3fff::1', '5f00::1', '::127.0.0.1', '::8.8.8.8'],
  ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:169.254.169.254', '64:ff9b::10.0.0.1', '64:ff9b::a9fe:a9fe'],
  ...['64:ff9b:1::8.8.8.8', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', 'localhost', '', '1.2.3', 'example.com'],
];
const PUBLIC = ['1.1.1.1', '8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'];
const PUBLIC_INSIDE = ['::ffff:8.8.8.8', '64:ff9b::8.8.8.8'];

describe('a public address', () => {
  it.each(REFUSED)('is not "%s"', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([...PUBLIC, ...PUBLIC_INSIDE])('is "%s"', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it('is judged alike however an IPv4 address is wrapped into IPv6', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const judged = isPublicAddress(address);
        expect(isPublicAddress(`::ffff:${address}`)).toBe(judged);
        expect(isPublicAddress(`64:ff9b::${address}`)).toBe(judged);
        expect(isPublicAddress(`::${address}`)).toBe(false);
      }),
    );
  });

  it('lies within 2000::/3, or wraps IPv4, if it is IPv6', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        if (!isPublicAddress(address)) return;
        expect(new URL(`http://[${address}]`).hostname).toMatch(/^\[([23][0-9a-f]{3}:|::ffff:|64:ff9b::)/);
      }),
      { numRuns: 2_000 },
    );
  });
});
