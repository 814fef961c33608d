import { describe, expect, it } from 'vitest';
import { isLoopbackHost } from '../../../src/core/loopback-host.ts';
import { isLoopbackHostHeader } from '../../../src/http/operator-guard.ts';

describe('loopback hosts', () => {
  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.8.9.10', '::1', '[::1]'])('%s is this machine', (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example', 'localhost.evil.example', '128.0.0.1', ''])(
    '%s may be another machine',
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
    },
  );

  it.each(['localhost:3000', '127.0.0.1', '[::1]:3000'])('the Host header %s names this machine', (header) => {
    expect(isLoopbackHostHeader(header)).toBe(true);
  });

  it.each([
    undefined,
    '',
    'evil.example',
    'evil.example:3000',
    'localhost@evil.example',
    'evil.example#localhost',
    'a b',
  ])('the Host header %s does not', (header) => {
    expect(isLoopbackHostHeader(header)).toBe(false);
  });
});
