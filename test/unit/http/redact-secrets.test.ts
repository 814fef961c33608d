import { describe, expect, it } from 'vitest';
import { redactSecrets, redactText } from '../../../src/http/redact-secrets.ts';

describe('redactText', () => {
  it.each([
    ['token act.abcDEF123456!xyz~1 refused', 'token act.[hidden] refused'],
    ['v_act.abcDEF123456*1', 'v_act.[hidden]'],
    ['rft.abcDEF123456', 'rft.[hidden]'],
    ['authorization: Bearer abcdefgh1234', 'authorization: Bearer [hidden]'],
    ['whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD', 'whsec_[hidden]'],
    [
      'PUT https://open-upload.tiktokapis.com/upload?upload_id=1&upload_token=abc failed',
      'PUT https://open-upload.tiktokapis.com/upload?[hidden] failed',
    ],
    ['https://user:pass@files.example/a.mp4', 'https://[hidden]@files.example/a.mp4'],
    ['redis://:secret@10.0.0.1:6379/0', 'redis://[hidden]@10.0.0.1:6379/0'],
    ['sent upload_token=abcdef, then stopped', 'sent upload_token=[hidden] then stopped'],
    ['https://a.example/cb#access_token=abc', 'https://a.example/cb?[hidden]'],
  ])('hides the secret in "%s"', (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });

  it.each([
    'TIKTOK_MEDIA_FORMAT: TikTok does not accept the format of the video or photos (TikTok: file_format_check_failed)',
    'v_pub_file~v2-1.7609334766880625799',
    'https://videos.example.com/clips/a.mp4',
    '/srv/contract.final/act.mp4',
    'Is it basic? Yes.',
  ])('leaves "%s" as it is', (text) => {
    expect(redactText(text)).toBe(text);
  });
});

describe('redactSecrets', () => {
  it('hides values by the name of their field, at any depth, and keeps the rest', () => {
    const value = {
      ...{ access_token: 'x', nested: [{ clientSecret: 'y', size: 3, ok: true, none: null }], uploadUrl: 'https://z' },
    };
    expect(redactSecrets(value)).toEqual({
      ...{ access_token: '[hidden]', uploadUrl: '[hidden]' },
      nested: [{ clientSecret: '[hidden]', size: 3, ok: true, none: null }],
    });
    expect(value.access_token).toBe('x');
  });
});

describe('redactSecrets, where secrets hide', () => {
  it('hides texts in lists and objects under the name of a secret, and secrets in names of fields', () => {
    const value = {
      ...{ tokens: ['x', { raw: 'y', size: 3 }], passwords: { admin: 'z' } },
      'act.abcDEF123456': 1,
    };
    expect(redactSecrets(value)).toEqual({
      ...{ tokens: ['[hidden]', { raw: '[hidden]', size: 3 }], passwords: { admin: '[hidden]' } },
      'act.[hidden]': 1,
    });
  });

  it('ends where there is no end', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}"x"${']'.repeat(100_000)}`) as unknown;
    expect(JSON.stringify(redactSecrets(deep)).length).toBeLessThan(100);
  });

  it.each([
    ['a path of slashes', '/'.repeat(500_000)],
    ['a path of URLs', 'http://'.repeat(100_000)],
    ['dots that may begin a scheme', 'a.'.repeat(300_000)],
    ['names of tokens', 'act.'.repeat(200_000)],
    ['logins', 'a://'.repeat(200_000)],
  ])('is done in linear time with %s', (_, text) => {
    expect(redactText(text)).not.toBe('');
  });
});
