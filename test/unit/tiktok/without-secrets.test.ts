import { describe, expect, it } from 'vitest';
import { withoutSecrets } from '../../../src/tiktok/without-secrets.ts';
import { rejection } from '../../support/rejection.ts';
import { clientUnderTest, envelope } from './client-under-test.ts';

const TOKEN = 'Zk3/Vq9+Xw5!Lm8=Tr2$Yp6';

describe('what TikTok says, as it may be shown', () => {
  it.each([
    ['the whole secret', `token ${TOKEN} refused`, 'token [secret] refused'],
    ['its beginning', `token ${TOKEN.slice(0, 10)}… refused`, 'token [secret]… refused'],
    ['a piece from the middle', `…${TOKEN.slice(5, 16)}…`, '…[secret]…'],
    ['its end', `ends with ${TOKEN.slice(-8)}`, 'ends with [secret]'],
    ['the secret twice', `${TOKEN} and ${TOKEN}`, '[secret] and [secret]'],
    ['the secret in a form', `body: token=${encodeURIComponent(TOKEN)}&x=1`, 'body: token=[secret]&x=1'],
  ])('holds nothing of %s', (_what, text, shown) => {
    expect(withoutSecrets(text, [TOKEN])).toBe(shown);
  });

  it.each([
    ["somebody else's access token", 'got act.Abc123!5063.u1, sorry', 'got [secret], sorry'],
    ['a token after an underscore', 'v_act.Abc123!5063.u1', 'v_[secret]'],
    ['a refresh token', '"rft.Abc123%21x"', '"[secret]"'],
    [
      'an upload URL',
      'PUT https://open-upload.tiktokapis.com/video/?upload_id=67890&upload_token=Xza123 failed',
      'PUT https://open-upload.tiktokapis.com/video/?[secret] failed',
    ],
    ['the query of an upload URL', '?upload_id=67890&upload_token=Xza123', '?upload_id=[secret]&upload_token=[secret]'],
    [
      'a link to media of ours',
      'https://publisher.example.com/pull/eyJhbGciOi.._x-1.aBc/video.mp4 is not verified',
      'https://publisher.example.com/pull/[secret]/video.mp4 is not verified',
    ],
    ['an upload token as JSON', '{"upload_token": "Xza123"}', '{"upload_token": "[secret]"}'],
  ])('holds nothing of %s, which was not sent along', (_what, text, shown) => {
    expect(withoutSecrets(text, [])).toBe(shown);
  });

  it('is left as it is where there is no secret', () => {
    const text =
      'Please review our integration guidelines at https://developers.tiktok.com/doc/content-sharing-guidelines/';
    expect(withoutSecrets(text, [TOKEN, ''])).toBe(text);
  });
});

describe('a call whose answer repeats the credentials', () => {
  it('shows neither of them in the error', async () => {
    const { client, server } = await clientUnderTest();
    const error = { code: `bad_${TOKEN}`, message: `Bearer ${TOKEN}`, log_id: `log ${TOKEN}` };
    const init = client.initDirectVideo(
      { post: {}, source: { kind: 'pull', url: 'https://videos.example.com/a.mp4' } },
      { accessToken: TOKEN },
    );
    (await server.nextRequest()).respondWith({ status: 400, json: envelope({}, error) });
    const { message, details } = await rejection(init);
    expect(message).toContain('bad_[secret]: Bearer [secret]');
    expect(JSON.stringify(details)).not.toContain(TOKEN.slice(0, 8));
  });

  it('shows no reason to fail that repeats the token', async () => {
    const { client, server } = await clientUnderTest();
    const asked = client.fetchStatus({ publishId: 'v_pub_file~v2-1.1' }, { accessToken: TOKEN });
    const data = { status: 'FAILED', fail_reason: `no ${TOKEN}` };
    (await server.nextRequest()).respondWith({ status: 200, json: envelope(data) });
    expect(await asked).toMatchObject({ status: 'FAILED', failReason: 'no [secret]' });
  });

  it('shows none of the secrets of an OAuth call', async () => {
    const { client, server } = await clientUnderTest();
    const secrets = { clientSecret: 'client-hush-1234567', refreshToken: 'refresh-hush-7654321' };
    const refresh = client.refreshToken({ clientKey: 'key', ...secrets });
    const json = { error: 'invalid_grant', error_description: `${secrets.refreshToken} of ${secrets.clientSecret}` };
    (await server.nextRequest()).respondWith({ status: 200, json });
    const { message } = await rejection(refresh);
    expect(message).toContain('[secret] of [secret]');
    expect(message).not.toContain('hush');
  });

  it('takes nothing from a content type but the type', async () => {
    const { client, server } = await clientUnderTest();
    const init = client.initInboxVideo(
      { source: { kind: 'pull', url: 'https://videos.example.com/a.mp4' } },
      { accessToken: TOKEN },
    );
    const headers = { 'content-type': `text/html; token="${TOKEN}"` };
    (await server.nextRequest()).respondWith({ status: 502, headers, text: '<html>' });
    expect((await rejection(init)).message).toMatch(/got HTTP 502 with text\/html$/);
  });
});

describe('a successful answer that repeats the token', () => {
  const context = { accessToken: TOKEN };
  const echoing = (data: unknown) => envelope(data, { code: 'ok', message: '', log_id: `log-${TOKEN}` });

  it('shows nothing of it in ids, names and statuses', async () => {
    const { client, server, observations } = await clientUnderTest();
    const status = client.fetchStatus({ publishId: 'v_1' }, context);
    const data = { status: `PROCESSING_${TOKEN}`, fail_reason: TOKEN.slice(2, 14) };
    (await server.nextRequest()).respondWith({ json: echoing(data) });
    expect(await status).toMatchObject({
      rawStatus: 'PROCESSING_[secret]',
      failReason: '[secret]',
      logId: 'log-[secret]',
    });
    expect(JSON.stringify(observations)).not.toContain(TOKEN.slice(0, 8));

    const creator = client.queryCreatorInfo(context);
    const avatar = 'https://p16.tiktokcdn.com/a.jpeg?x-expires=1&x-signature=abc';
    const info = { creator_nickname: TOKEN, creator_avatar_url: avatar, privacy_level_options: [TOKEN, 'SELF_ONLY'] };
    (await server.nextRequest()).respondWith({ json: echoing(info) });
    expect(await creator).toMatchObject({
      nickname: '[secret]',
      avatarUrl: avatar,
      privacyLevelOptions: ['SELF_ONLY'],
    });
  });

  it('is no answer where it is the publish_id, which must be stored as it is', async () => {
    const { client, server } = await clientUnderTest();
    const init = client.initDirectVideo(
      { post: {}, source: { kind: 'pull', url: 'https://a.example/a.mp4' } },
      context,
    );
    (await server.nextRequest()).respondWith({ json: echoing({ publish_id: `v_${TOKEN}` }) });
    expect(await rejection(init)).toMatchObject({ code: 'TRANSPORT_BAD_ANSWER' });
  });
});

describe('a text of TikTok that is far too long', () => {
  it.each([
    ['http:', 'http:'.repeat(180_000)],
    ['https://?', 'https://?'.repeat(100_000)],
    ['act.', 'act.'.repeat(200_000)],
    ['upload_token=', 'upload_token='.repeat(70_000)],
    ['/pull/', '/pull/'.repeat(150_000)],
  ])('is cut before anybody searches it: %s', async (_, text) => {
    const { client, server } = await clientUnderTest();
    const asked = client.fetchStatus({ publishId: 'v_1' }, { accessToken: TOKEN });
    (await server.nextRequest()).respondWith({ json: envelope({ status: 'FAILED', fail_reason: text }) });
    expect((await asked).failReason?.length).toBeLessThanOrEqual(2_000);
    const refused = client.cancelPublish({ publishId: 'v_1' }, { accessToken: TOKEN });
    (await server.nextRequest()).respondWith({
      status: 400,
      json: envelope({}, { code: text, message: text, log_id: text }),
    });
    expect((await rejection(refused)).message.length).toBeLessThan(3_000);
  });

  it('is no answer where it is a publish_id or nested without end', async () => {
    const { client, server } = await clientUnderTest();
    const ask = () =>
      client.initDirectVideo(
        { post: {}, source: { kind: 'pull', url: 'https://a.example/a.mp4' } },
        { accessToken: TOKEN },
      );
    const long = ask();
    (await server.nextRequest()).respondWith({ json: envelope({ publish_id: 'v'.repeat(600) }) });
    expect((await rejection(long)).code).toBe('TRANSPORT_BAD_ANSWER');
    const deep = ask();
    (await server.nextRequest()).respondWith({
      text: `{"data":${'['.repeat(200_000)}${']'.repeat(200_000)},"error":{"code":"ok"}}`,
    });
    expect((await rejection(deep)).code).toBe('TRANSPORT_BAD_ANSWER');
  });
});
