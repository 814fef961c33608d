import { describe, expect, it } from 'vitest';
import { type ConsentOutcome, isReturnUrl, returnUrl } from '../../../src/accounts/connect-return.ts';
import { PublishError } from '../../../src/core/publish-error.ts';

const ORIGINS = ['https://app.example.com', 'http://localhost:5000'];

describe('an address to return to', () => {
  it.each(['https://app.example.com', 'https://APP.example.com:443/a?b=c#d', 'http://localhost:5000/x'])(
    'is allowed at a listed origin: %s',
    (url) => {
      expect(isReturnUrl(url, ORIGINS)).toBe(true);
      expect(isReturnUrl(url, [])).toBe(false);
    },
  );

  it.each([
    'https://evil.example/?https://app.example.com',
    'https://app.example.com.evil.example/',
    'https://app.example.com@evil.example/',
    'https://me@app.example.com/',
    'https://app.example.com:8443/',
    'http://app.example.com/',
    'http://localhost:5001/',
    'javascript:alert(1)//https://app.example.com',
    'data:text/html,x',
    'blob:https://app.example.com/1',
    '//app.example.com',
    '/settings',
    '',
  ])('is refused elsewhere: %s', (url) => {
    expect(isReturnUrl(url, ORIGINS)).toBe(false);
  });
});

describe('what an app is told when the browser returns', () => {
  const granted = { account: 'acme', wasKnown: false, granted: ['video.publish'] };

  it.each<[ConsentOutcome, Record<string, string>]>([
    [{ kind: 'connected', ...granted, missing: [] }, { outcome: 'connected' }],
    [
      { kind: 'connected', ...granted, missing: ['video.upload'] },
      { outcome: 'connected', code: 'AUTH_SCOPE_MISSING' },
    ],
    [
      { kind: 'known_otherwise', account: 'secret-customer', wanted: 'acme' },
      { outcome: 'failed', code: 'ALREADY_CONNECTED' },
    ],
    [
      { kind: 'declined', tiktokCode: 'access_denied', tiktokMessage: 'secret' },
      { outcome: 'denied', code: 'ACCESS_DENIED' },
    ],
    [
      { kind: 'declined', tiktokCode: 'secret', tiktokMessage: 'secret' },
      { outcome: 'failed', code: 'CONSENT_FAILED' },
    ],
    [{ kind: 'link_used' }, { outcome: 'failed', code: 'LINK_USED' }],
    [
      { kind: 'failed', error: new PublishError('TRANSPORT_NO_ANSWER', { reason: 'secret' }) },
      { outcome: 'failed', code: 'TRANSPORT_NO_ANSWER' },
    ],
  ])('is an outcome and a code: %o', (outcome, told) => {
    const url = new URL(returnUrl('https://app.example.com/a?tab=b&code=old#top', 'acme', outcome));
    const { code, ...kept } = Object.fromEntries(url.searchParams);
    expect({ ...kept, ...(code !== undefined && { code }) }).toEqual({ tab: 'b', account: 'acme', ...told });
    expect(url.href).toMatch(/^https:\/\/app\.example\.com\/a\?.*#top$/);
    expect(url.href).not.toContain('secret');
  });
});
