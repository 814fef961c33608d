import { describe, expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import { parseAllowList } from '../../../src/outbound/allow-list.ts';
import { checkOutboundUrl } from '../../../src/outbound/check-url.ts';

function refusalOf(url: string, ...allowed: string[]): PublishError | undefined {
  try {
    checkOutboundUrl(new URL(url), parseAllowList(allowed));
    return undefined;
  } catch (error) {
    if (error instanceof PublishError) return error;
    throw error;
  }
}

describe('the check of a URL', () => {
  it.each(['https://example.com/hook', 'https://example.com:8443/', 'https://1.1.1.1/', 'https://[2606:4700::1111]/'])(
    'lets %s pass',
    (url) => {
      expect(refusalOf(url)).toBeUndefined();
    },
  );

  it.each([
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://１２７.0.0.1/',
  ])('refuses the address in %s', (url) => {
    expect(refusalOf(url)?.code).toBe('OUTBOUND_HOST_REFUSED');
  });

  it.each(['http://example.com/', 'ftp://example.com/', 'file:///etc/passwd', 'https://u:p@example.com/'])(
    'refuses %s',
    (url) => {
      expect(refusalOf(url)?.code).toBe('OUTBOUND_URL_REFUSED');
    },
  );

  it('repeats no credentials, path or query', () => {
    for (const url of ['https://user:s3cret@example.com/p?t=s3cret', 'http://example.com/s3cret?t=s3cret']) {
      expect(refusalOf(url)?.message).toContain('example.com');
      expect(refusalOf(url)?.message).not.toContain('s3cret');
    }
  });

  it('opens a host on every port, or on the one that is named', () => {
    expect(refusalOf('http://minio:9000/a', 'minio')).toBeUndefined();
    expect(refusalOf('http://minio:9000/a', 'minio:9000')).toBeUndefined();
    expect(refusalOf('http://MINIO.:9000/a', 'minio:9000')).toBeUndefined();
    expect(refusalOf('http://minio:9001/a', 'minio:9000')?.code).toBe('OUTBOUND_URL_REFUSED');
    expect(refusalOf('https://minio/a', 'minio:443')).toBeUndefined();
    expect(refusalOf('http://[::1]:80/', '[::1]:80')).toBeUndefined();
  });

  it('opens a network by CIDR, also in forms that wrap its addresses', () => {
    expect(refusalOf('http://10.1.2.3/', '10.0.0.0/8')).toBeUndefined();
    expect(refusalOf('https://[::ffff:10.1.2.3]/', '10.0.0.0/8')).toBeUndefined();
    expect(refusalOf('https://11.1.2.3/', '10.0.0.0/8')).toBeUndefined();
    expect(refusalOf('https://192.168.0.1/', '10.0.0.0/8')?.code).toBe('OUTBOUND_HOST_REFUSED');
    expect(refusalOf('https://[fd00::7]/', 'fd00::/8')).toBeUndefined();
  });

  it('does not open a host because its name ends or begins like an open one', () => {
    for (const url of ['http://minio.evil.example/', 'http://evilminio/', 'http://minio@evil.example/']) {
      expect(refusalOf(url, 'minio')?.code).toBe('OUTBOUND_URL_REFUSED');
    }
  });
});
