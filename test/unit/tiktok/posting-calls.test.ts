import { describe, expect, it } from 'vitest';
import { planChunks } from '../../../src/core/chunk-plan.ts';
import { rejection } from '../../support/rejection.ts';
import { clientUnderTest, envelope } from './client-under-test.ts';

const context = { accessToken: 'act.secret' };
const plan = planChunks(50_000_123);
const fileSource = { kind: 'file_upload', plan } as const;
const pullSource = { kind: 'pull', url: 'https://videos.example.com/a.mp4' } as const;
const fileSourceWire = { source: 'FILE_UPLOAD', video_size: 50_000_123, chunk_size: 10_000_000, total_chunk_count: 5 };

describe('initDirectVideo', () => {
  it('sends every setting in the words of TikTok and hands back the publish_id and the upload URL', async () => {
    const { client, server, observations } = await clientUnderTest();
    const post = {
      title: 'hello 🎬',
      privacyLevel: 'SELF_ONLY',
      disableDuet: true,
      disableStitch: false,
      disableComment: true,
      coverTimestampMs: 1_500,
      brandContent: false,
      brandOrganic: true,
      aiGenerated: true,
    } as const;
    const answer = client.initDirectVideo({ post, source: fileSource }, context);
    const request = await server.nextRequest();
    expect(request).toMatchObject({ method: 'POST', path: '/v2/post/publish/video/init/' });
    expect(request.headers).toMatchObject({
      authorization: 'Bearer act.secret',
      'user-agent': 'tiktok-publisher',
      'content-type': 'application/json; charset=UTF-8',
    });
    expect(JSON.parse((await request.readBody()).toString())).toEqual({
      post_info: {
        title: 'hello 🎬',
        privacy_level: 'SELF_ONLY',
        disable_duet: true,
        disable_stitch: false,
        disable_comment: true,
        video_cover_timestamp_ms: 1_500,
        brand_content_toggle: false,
        brand_organic_toggle: true,
        is_aigc: true,
      },
      source_info: fileSourceWire,
    });
    const data = { publish_id: 'v_pub_file~v2-1.123', upload_url: 'https://open-upload.tiktokapis.com/video/?x=1' };
    request.respondWith({ json: envelope(data) });
    expect(await answer).toEqual({ publishId: data.publish_id, uploadUrl: data.upload_url, logId: 'log-1' });
    expect(observations).toEqual([{ endpoint: 'direct_init', code: 'ok', durationMs: expect.any(Number) }]);
  });

  it('lets TikTok pull a URL, for which there is no upload URL', async () => {
    const { client, server } = await clientUnderTest();
    const answer = client.initDirectVideo({ post: { privacyLevel: 'SELF_ONLY' }, source: pullSource }, context);
    const request = await server.nextRequest();
    expect(JSON.parse((await request.readBody()).toString())).toEqual({
      post_info: { privacy_level: 'SELF_ONLY', brand_content_toggle: false, brand_organic_toggle: false },
      source_info: { source: 'PULL_FROM_URL', video_url: pullSource.url },
    });
    request.respondWith({ json: envelope({ publish_id: 'v_pub_url~v2.5', upload_url: '' }) });
    expect(await answer).toEqual({ publishId: 'v_pub_url~v2.5', uploadUrl: undefined, logId: 'log-1' });
  });

  it('never repeats itself, whatever happens', async () => {
    const { client, server } = await clientUnderTest();
    const answer = client.initDirectVideo({ post: {}, source: pullSource }, context);
    (await server.nextRequest()).destroy();
    expect((await rejection(answer)).code).toBe('TRANSPORT_NO_ANSWER');
    expect(server.connectionCount()).toBe(1);
    expect(server.unseenCount()).toBe(0);
  });

  it('opens a connection of its own each time, lest it be written into one that is just closing', async () => {
    const { client, server } = await clientUnderTest();
    for (const publishId of ['a', 'b']) {
      const answer = client.initDirectVideo({ post: {}, source: pullSource }, context);
      (await server.nextRequest()).respondWith({ json: envelope({ publish_id: publishId }) });
      expect((await answer).publishId).toBe(publishId);
    }
    expect(server.connectionCount()).toBe(2);
  });

  it('does not take an answer without upload URL for a begun upload', async () => {
    const { client, server } = await clientUnderTest();
    const answer = client.initDirectVideo({ post: {}, source: fileSource }, context);
    (await server.nextRequest()).respondWith({ json: envelope({ publish_id: 'p' }) });
    expect(await rejection(answer)).toMatchObject({
      code: 'TRANSPORT_BAD_ANSWER',
      details: { tiktokLogId: 'log-1' },
    });
  });
});

describe('initInboxVideo', () => {
  it('sends the source alone', async () => {
    const { client, server } = await clientUnderTest();
    const answer = client.initInboxVideo({ source: fileSource }, context);
    const request = await server.nextRequest();
    expect(request.path).toBe('/v2/post/publish/inbox/video/init/');
    expect(JSON.parse((await request.readBody()).toString())).toEqual({ source_info: fileSourceWire });
    request.respondWith({
      json: envelope({ publish_id: 'v_inbox_file~v2.1', upload_url: 'https://u.tiktokapis.com/x' }),
    });
    expect((await answer).publishId).toBe('v_inbox_file~v2.1');
  });
});

describe('fetchStatus', () => {
  async function statusOf(body: string) {
    const { client, server } = await clientUnderTest();
    const answer = client.fetchStatus({ publishId: 'v_pub_file~v2-1.123' }, context);
    const request = await server.nextRequest();
    expect(request.path).toBe('/v2/post/publish/status/fetch/');
    expect((await request.readBody()).toString()).toBe('{"publish_id":"v_pub_file~v2-1.123"}');
    request.respondWith({ text: body, headers: { 'content-type': 'application/json' } });
    return answer;
  }
  const ok = '"error":{"code":"ok","message":"","log_id":"l"}';

  it.each(['publicaly_available_post_id', 'publicly_available_post_id'])(
    'keeps all 19 digits of the ids in %s',
    async (field) => {
      const status = await statusOf(
        `{"data":{"status":"PUBLISH_COMPLETE","${field}":[7678907398077074696,"7678907398077074697"]},${ok}}`,
      );
      expect(status).toMatchObject({
        status: 'PUBLISH_COMPLETE',
        postIds: ['7678907398077074696', '7678907398077074697'],
      });
    },
  );

  it('reads ids of any length, as numbers or as texts', async () => {
    const list = '[7, 9007199254740993, "10"]';
    const status = await statusOf(`{"data":{"status":"PUBLISH_COMPLETE","publicaly_available_post_id":${list}},${ok}}`);
    expect(status.postIds).toEqual(['7', '9007199254740993', '10']);
    const short = await statusOf(`{"data":{"status":"PUBLISH_COMPLETE","publicaly_available_post_id":[7]},${ok}}`);
    expect(short.postIds).toEqual(['7']);
  });

  it.each(['[]', 'null', '[0]', '[""]'.replace('""', '"0"')])('takes %s for no post id', async (list) => {
    const status = await statusOf(`{"data":{"status":"PUBLISH_COMPLETE","publicaly_available_post_id":${list}},${ok}}`);
    expect(status.postIds).toEqual([]);
  });

  it('reads the progress of an upload', async () => {
    const status = await statusOf(`{"data":{"status":"PROCESSING_UPLOAD","uploaded_bytes":30000000},${ok}}`);
    expect(status).toMatchObject({
      status: 'PROCESSING_UPLOAD',
      uploadedBytes: 30_000_000,
      downloadedBytes: undefined,
    });
  });

  it('reads why a post failed', async () => {
    const status = await statusOf(`{"data":{"fail_reason":"file_format_check_failed","status":"FAILED"},${ok}}`);
    expect(status).toMatchObject({ status: 'FAILED', failReason: 'file_format_check_failed' });
  });

  it('carries a status it does not know through', async () => {
    const status = await statusOf(`{"data":{"status":"SENDING_TO_USER_INBOX"},${ok}}`);
    expect(status).toMatchObject({ status: 'unknown', rawStatus: 'SENDING_TO_USER_INBOX' });
  });

  it('reads the log id in its other spelling', async () => {
    const status = await statusOf('{"data":{"status":"FAILED"},"error":{"code":"ok","logid":"other"}}');
    expect(status.logId).toBe('other');
  });

  it('refuses an answer without status', async () => {
    await expect(statusOf(`{"data":{},${ok}}`)).rejects.toMatchObject({ code: 'TRANSPORT_BAD_ANSWER' });
  });

  it('tries again at once when the connection breaks, and counts both calls', async () => {
    const { client, server, observations } = await clientUnderTest();
    const answer = client.fetchStatus({ publishId: 'p' }, context);
    (await server.nextRequest()).destroy();
    (await server.nextRequest()).respondWith({ json: envelope({ status: 'FAILED' }) });
    expect((await answer).status).toBe('FAILED');
    expect(observations.map(({ code }) => code)).toEqual(['TRANSPORT_NO_ANSWER', 'ok']);
  });

  it('gives up after three tries', async () => {
    const { client, server, observations } = await clientUnderTest();
    const answer = client.fetchStatus({ publishId: 'p' }, context);
    const rejected = rejection(answer);
    for (const text of ['a', 'b', 'c']) (await server.nextRequest()).respondWith({ status: 502, text });
    expect((await rejected).code).toBe('TIKTOK_INTERNAL');
    expect(observations.map(({ code }) => code)).toEqual(['http_502', 'http_502', 'http_502']);
  });

  it('does not try again when TikTok said no', async () => {
    const { client, server } = await clientUnderTest();
    const answer = client.fetchStatus({ publishId: 'p' }, context);
    (await server.nextRequest()).respondWith({ status: 400, json: envelope({}, { code: 'invalid_publish_id' }) });
    expect((await rejection(answer)).code).toBe('TIKTOK_PUBLISH_ID_UNKNOWN');
    expect(server.unseenCount()).toBe(0);
  });
});

describe('queryCreatorInfo', () => {
  it('reads what the creator may post', async () => {
    const { client, server } = await clientUnderTest();
    const answer = client.queryCreatorInfo(context);
    const request = await server.nextRequest();
    expect(request.path).toBe('/v2/post/publish/creator_info/query/');
    request.respondWith({
      json: envelope({
        creator_avatar_url: 'https://p16.tiktokcdn.com/a.webp',
        creator_username: 'acme',
        creator_nickname: 'Acme',
        privacy_level_options: ['PUBLIC_TO_EVERYONE', 'SELF_ONLY'],
        comment_disabled: false,
        duet_disabled: true,
        stitch_disabled: true,
        max_video_post_duration_sec: 300,
      }),
    });
    expect(await answer).toEqual({
      username: 'acme',
      nickname: 'Acme',
      avatarUrl: 'https://p16.tiktokcdn.com/a.webp',
      privacyLevelOptions: ['PUBLIC_TO_EVERYONE', 'SELF_ONLY'],
      commentDisabled: false,
      duetDisabled: true,
      stitchDisabled: true,
      maxVideoDurationSeconds: 300,
    });
  });

  it.each([
    ['spam_risk_too_many_posts', 'TIKTOK_DAILY_POST_CAP'],
    ['spam_risk_user_banned_from_posting', 'TIKTOK_USER_BANNED'],
    ['reached_active_user_cap', 'TIKTOK_ACTIVE_USER_CAP'],
  ])('sees the error %s that comes with HTTP 200', async (tiktokCode, code) => {
    const { client, server } = await clientUnderTest();
    const answer = client.queryCreatorInfo(context);
    (await server.nextRequest()).respondWith({ json: envelope({}, { code: tiktokCode }) });
    expect(await rejection(answer)).toMatchObject({ code, details: { httpStatus: 200, tiktokCode } });
  });
});

describe('cancelPublish', () => {
  it('is done when TikTok says ok without data', async () => {
    const { client, server } = await clientUnderTest();
    const answer = client.cancelPublish({ publishId: 'p' }, context);
    const request = await server.nextRequest();
    expect(request.path).toBe('/v2/post/publish/cancel/');
    request.respondWith({ json: { error: { code: 'ok', message: '', log_id: 'l' } } });
    expect(await answer).toBeUndefined();
  });

  it('says when TikTok can no longer cancel', async () => {
    const { client, server } = await clientUnderTest();
    const answer = client.cancelPublish({ publishId: 'p' }, context);
    (await server.nextRequest()).respondWith({ status: 400, json: { error: { code: 'publish_not_cancellable' } } });
    expect((await rejection(answer)).code).toBe('TIKTOK_NOT_CANCELLABLE');
  });
});
