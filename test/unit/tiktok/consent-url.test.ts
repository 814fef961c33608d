import { expect, it } from 'vitest';
import { consentUrl } from '../../../src/tiktok/oauth-calls.ts';

const question = {
  clientKey: 'k',
  redirectUri: 'https://a.example/connect/tiktok/callback',
  state: 's',
  codeChallenge: 'c',
  scopes: ['video.publish', 'video.upload'],
};

it("F10: asks on TikTok's own page, and with a simulator on the simulator's", () => {
  const url = new URL(consentUrl('https://open.tiktokapis.com', question));
  expect(`${url.origin}${url.pathname}`).toBe('https://www.tiktok.com/v2/auth/authorize/');
  expect(Object.fromEntries(url.searchParams)).toEqual({
    client_key: 'k',
    response_type: 'code',
    scope: 'video.publish,video.upload',
    redirect_uri: 'https://a.example/connect/tiktok/callback',
    state: 's',
    code_challenge: 'c',
    code_challenge_method: 'S256',
    disable_auto_auth: '1',
  });
  expect(consentUrl('http://127.0.0.1:4010', question)).toMatch(/^http:\/\/127\.0\.0\.1:4010\/v2\/auth\/authorize\/\?/);
});
