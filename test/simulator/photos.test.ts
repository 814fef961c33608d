import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { AccountTokens, Simulator } from '../../src/simulator/index.ts';
import { eventually } from '../support/eventually.ts';
import { call, dataText, errorCode } from './api-calls.ts';
import { start } from './simulators.ts';

const PHOTO = 'https://photos.example.com/1.jpg';
const VERIFIED = { verifiedUrlPrefixes: ['photos.example.com'] };

interface PhotoPost {
  post_mode?: unknown;
  media_type?: unknown;
  post_info?: Record<string, unknown>;
  source_info?: Record<string, unknown>;
}

const init = (simulator: Simulator, account: AccountTokens, change: PhotoPost = {}) =>
  call(simulator, account, 'content_init', {
    media_type: 'PHOTO',
    post_mode: 'DIRECT_POST',
    ...change,
    post_info: { privacy_level: 'SELF_ONLY', ...change.post_info },
    source_info: { source: 'PULL_FROM_URL', photo_images: [PHOTO], photo_cover_index: 0, ...change.source_info },
  });

const photos = (count: number) => Array.from({ length: count }, () => PHOTO);

describe('the init of photos', () => {
  it('gives a publish_id of its own form, no upload URL, and posts', async () => {
    const simulator = await start({ ...VERIFIED, pullMs: 0, processingMs: 0 });
    const account = simulator.addAccount();
    const answer = await init(simulator, account);
    expect(answer.json.data).toEqual({ publish_id: expect.stringMatching(/^p_pub_url~v2\.\d{19}$/) });
    await eventually(() => simulator.journal.posts().length === 1);
  });

  it.each<[string, PhotoPost, string]>([
    [
      'takes 35 photos and the longest texts',
      {
        post_info: { title: 'x'.repeat(90), description: 'y'.repeat(4_000) },
        source_info: { photo_images: photos(35), photo_cover_index: 34 },
      },
      'ok',
    ],
    ['refuses 36 photos', { source_info: { photo_images: photos(36) } }, 'invalid_params'],
    ['refuses no photo', { source_info: { photo_images: [] } }, 'invalid_params'],
    ['refuses a cover that is none of them', { source_info: { photo_cover_index: 1 } }, 'invalid_params'],
    ['refuses a missing cover', { source_info: { photo_cover_index: undefined } }, 'invalid_params'],
    ['refuses a long title', { post_info: { title: 'x'.repeat(91) } }, 'invalid_params'],
    ['refuses a long description', { post_info: { description: 'x'.repeat(4_001) } }, 'invalid_params'],
    ['refuses bytes to be uploaded', { source_info: { source: 'FILE_UPLOAD' } }, 'invalid_params'],
    ['refuses another media type', { media_type: 'VIDEO' }, 'invalid_params'],
    ['refuses another mode', { post_mode: 'DIRECT POST' }, 'invalid_params'],
    [
      'refuses a URL that nobody verified',
      { source_info: { photo_images: [PHOTO, 'https://example.org/2.jpg'] } },
      'url_ownership_unverified',
    ],
    [
      'refuses a privacy level that is not offered',
      { post_info: { privacy_level: 'FOLLOWER_OF_CREATOR' } },
      'privacy_level_option_mismatch',
    ],
    ['refuses private branded content', { post_info: { brand_content_toggle: true } }, 'invalid_params'],
    [
      'lets a draft go without a privacy level',
      { post_mode: 'MEDIA_UPLOAD', post_info: { privacy_level: undefined } },
      'ok',
    ],
  ])('%s', async (_, change, code) => {
    const simulator = await start(VERIFIED);
    expect(errorCode(await init(simulator, simulator.addAccount(), change))).toBe(code);
  });

  it('demands the scope of its mode', async () => {
    const simulator = await start(VERIFIED);
    const account = simulator.addAccount({ scopes: ['video.upload'] });
    expect(errorCode(await init(simulator, account))).toBe('scope_not_authorized');
    expect(errorCode(await init(simulator, account, { post_mode: 'MEDIA_UPLOAD' }))).toBe('ok');
  });

  it('has a limit of 6 a minute of its own', async () => {
    const simulator = await start(VERIFIED);
    const account = simulator.addAccount();
    const codes: string[] = [];
    for (let i = 0; i < 7; i += 1) codes.push(errorCode(await init(simulator, account)));
    expect(codes).toEqual([...Array.from({ length: 6 }, () => 'ok'), 'rate_limit_exceeded']);
  });
});

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  server = undefined;
});

const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), randomBytes(1_000)]);
const webp = Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP', 'latin1'), randomBytes(500)]);
const png = Buffer.concat([Buffer.from('\x89PNG\r\n', 'latin1'), randomBytes(500)]);

describe('the download of photos', () => {
  it.each([
    ['are posted as JPEG and WebP', ['/a.jpg', '/b.webp'], 'PUBLISH_COMPLETE', undefined],
    ['fail when one is not there', ['/a.jpg', '/missing.jpg'], 'FAILED', 'photo_pull_failed'],
    ['fail when one is a redirect', ['/moved.jpg'], 'FAILED', 'photo_pull_failed'],
    ['fail as PNG', ['/c.png'], 'FAILED', 'file_format_check_failed'],
    ['fail beyond 20 MB', ['/huge.jpg'], 'FAILED', 'file_format_check_failed'],
  ])('%s', async (_, paths, status, failReason) => {
    const files: Record<string, Buffer> = {
      '/a.jpg': jpeg,
      '/b.webp': webp,
      '/c.png': png,
      '/huge.jpg': Buffer.concat([jpeg, Buffer.alloc(20_000_000)]),
    };
    server = createServer((request, response) => {
      const file = files[request.url ?? ''];
      if (request.url === '/moved.jpg') response.writeHead(302, { location: '/a.jpg' }).end();
      else response.writeHead(file === undefined ? 404 : 200).end(file);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const simulator = await start({ fetchPulls: true, processingMs: 0, switches: { pullUrlRules: 'off' } });
    const account = simulator.addAccount();
    const urls = paths.map((path) => `${origin}${path}`);
    const publishId = dataText(await init(simulator, account, { source_info: { photo_images: urls } }), 'publish_id');
    await eventually(() => simulator.journal.publishes()[0]?.status === status);
    const answer = await call(simulator, account, 'status', { publish_id: publishId });
    expect(answer.json.data).toMatchObject({ status, ...(failReason !== undefined && { fail_reason: failReason }) });
  });
});
