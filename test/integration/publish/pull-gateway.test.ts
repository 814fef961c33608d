import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PhotoItem } from '../../../src/core/new-request.ts';
import { startMediaWebServer } from '../../support/media-web-server.ts';
import { jpegOf, PICTURES } from '../../support/photos.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { openCase } from '../../support/publish-case.ts';
import { startPullSite } from '../../support/pull-site.ts';
import { makeVideo, sha256OfFile } from '../../support/videos.ts';

const post = { privacyLevel: 'SELF_ONLY' } as const;

describe('photos on disks and other servers', () => {
  it('are downloaded by TikTok from the web server, and by nobody once the job has ended', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pull-gateway-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const web = await startMediaWebServer(folder);
    onTestFinished(web.close);
    const site = await startPullSite({ onDuplicate: 'warn', allowHosts: web.allowHosts });
    const { pipeline, account, ended, links, publishes } = site;
    const photos = [jpegOf(40, 30), jpegOf(40, 30, 3_000_000), PICTURES.webp, jpegOf(40, 30, 5_000)] as const;
    const items: PhotoItem[] = [];
    for (const [index, bytes] of photos.slice(0, 3).entries()) {
      items.push({ type: 'file', path: await site.file(`${index}.jpg`, bytes) });
    }
    await writeFile(join(folder, '4.jpg'), photos[3]);
    items.push({ type: 'url', url: web.url('4.jpg') });
    const media = { type: 'photos' as const, items, coverIndex: 2 };
    const job = await ended(await pipeline.publisher.enqueue({ account, mode: 'direct', post, media }));
    expect(job).toMatchObject({ state: 'published', request: { media } });
    const sha256 = createHash('sha256').update(Buffer.concat(photos)).digest('hex');
    expect(publishes()).toMatchObject([{ status: 'PUBLISH_COMPLETE', sha256 }]);
    expect(links).toHaveLength(4);
    const answers = await Promise.all(links.map(async (link) => await fetch(link)));
    expect(answers.map(({ status }) => status)).toEqual([410, 410, 410, 410]);
    expect(await answers[0]?.json()).toMatchObject({ code: 'PULL_JOB_ENDED' });
  });

  it('go beside photos that TikTok downloads elsewhere', async () => {
    const site = await startPullSite();
    const { pipeline, account, ended, links, publishes, baseUrl } = site;
    const media = {
      type: 'photos' as const,
      items: [
        { type: 'file' as const, path: await site.file('a.jpg', PICTURES.jpeg) },
        { type: 'pull' as const, url: `${baseUrl}/pull/elsewhere.jpg?signature=secret` },
      ],
    };
    const job = await ended(await pipeline.publisher.enqueue({ account, mode: 'inbox', media }));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'TIKTOK_PULL_FAILED' } });
    expect(JSON.stringify(job)).not.toContain('secret');
    expect(new Set(links.map((link) => link.split('/').at(-1)))).toEqual(new Set(['photo.jpg']));
    expect(publishes()[0]).toMatchObject({ status: 'FAILED', failReason: 'photo_pull_failed' });
  });

  it('that are no JPEG and no WebP are refused before the init', async () => {
    const site = await startPullSite();
    const { pipeline, account, ended, inits } = site;
    const path = await site.file('a.png', PICTURES.png);
    const media = { type: 'photos' as const, items: [{ type: 'file' as const, path }] };
    const job = await ended(await pipeline.publisher.enqueue({ account, mode: 'inbox', media }));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'INPUT_PHOTO_UNSUPPORTED' } });
    expect(inits()).toHaveLength(0);
  });
});

describe('a local video with "via": "pull"', () => {
  it.each(['whole', 'ranges'] as const)('is downloaded by TikTok (%s) and published once', async (pullRequests) => {
    const switches = { pullUrlRules: 'loopback', pullRequests } as const;
    const { pipeline, account, ended, posts } = await startPullSite({ preflight: 'warn', simulator: { switches } });
    const path = await makeVideo(pipeline.folder, 3_000_000);
    const media = { type: 'file' as const, path, via: 'pull' as const };
    const job = await ended(await pipeline.publisher.enqueue({ account, mode: 'direct', post, media }));
    expect(job).toMatchObject({ state: 'published', publishId: expect.stringMatching(/^v_pub_url/) });
    expect(job.timeline).toContainEqual(expect.objectContaining({ event: 'media_examined' }));
    const sha256 = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    expect(posts()).toMatchObject([{ sha256 }]);
  });

  it('may be on another server, which the web server reads; nothing that is kept or told holds a link', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pull-gateway-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const path = await makeVideo(folder, 3_000_000);
    const web = await startMediaWebServer(folder);
    onTestFinished(web.close);
    const logged: string[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
    const { pipeline, account, ended, links, posts } = await startPullSite({ allowHosts: web.allowHosts, log });
    const media = { type: 'url' as const, url: `${web.url(path)}?sig=confidential`, via: 'pull' as const };
    const job = await ended(await pipeline.publisher.enqueue({ account, mode: 'direct', post, media }));
    expect(job.state).toBe('published');
    expect(posts()).toMatchObject([{ sha256: await sha256OfFile(path) }]);
    const [, token = 'no link'] = /\/pull\/([^/]+)/.exec(links[0] ?? '') ?? [];
    const record = await pipeline.redis.hgetall(pipeline.keys.job(job.id));
    const told = JSON.stringify([job, record, await pipeline.events(), logged, await pipeline.metrics.render()]);
    for (const secret of [token, 'confidential']) expect(told).not.toContain(secret);
    expect(links[0]).not.toContain('confidential');
  });

  it('can be had whole and in ranges by its link, and only as it was checked', async () => {
    const { pipeline, account, fault, links, noted } = await startPullSite();
    const path = await makeVideo(pipeline.folder, 2_500_000);
    const bytes = await readFile(path);
    fault('video_init', { kind: 'stuck_processing' });
    const media = { type: 'file' as const, path, via: 'pull' as const };
    await noted(await pipeline.publisher.enqueue({ account, mode: 'direct', post, media }), 'init_answered');
    const [link = ''] = links;
    const get = async (headers: Record<string, string> = {}, method = 'GET') => await fetch(link, { method, headers });

    const head = await get({}, 'HEAD');
    const etag = head.headers.get('etag') ?? '';
    expect(head.status).toBe(200);
    expect(Object.fromEntries(head.headers)).toMatchObject({
      ...{ 'content-type': 'video/mp4', 'content-length': '2500000', 'accept-ranges': 'bytes' },
      'cache-control': 'no-store',
    });
    expect(Buffer.from(await (await get()).arrayBuffer()).equals(bytes)).toBe(true);
    const part = await get({ range: 'bytes=2499990-', 'if-range': etag });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 2499990-2499999/2500000']);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(-10))).toBe(true);
    const other = await get({ range: 'bytes=0-9', 'if-range': '"other"' });
    expect([other.status, (await other.arrayBuffer()).byteLength]).toEqual([200, 2_500_000]);
    const beyond = await get({ range: 'bytes=2500000-' });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */2500000']);

    await rename(await makeVideo(pipeline.folder, 2_500_000), path);
    const changed = await get();
    expect([changed.status, await changed.json()]).toMatchObject([410, { code: 'PULL_MEDIA_GONE' }]);
  });

  it('is uploaded when TikTok could not download it, if the request says so; the link is dead then', async () => {
    const { pipeline, account, ended, fault, links, publishes } = await startPullSite();
    fault('video_init', { kind: 'fail_processing', failReason: 'video_pull_failed' });
    const path = await makeVideo(pipeline.folder, 2_000_000);
    const media = { type: 'file' as const, path, via: 'pull' as const, fallback: 'upload' as const };
    const job = await ended(await pipeline.publisher.enqueue({ account, mode: 'direct', post, media }));
    expect(job.state).toBe('published');
    expect(publishes().map(({ source, status }) => [source, status])).toEqual([
      ['PULL_FROM_URL', 'FAILED'],
      ['FILE_UPLOAD', 'PUBLISH_COMPLETE'],
    ]);
    expect((await fetch(links[0] ?? '')).status).toBe(410);
  });

  it('whose init was not answered ends unconfirmed, and TikTok gets nothing more of it', async () => {
    const { pipeline, account, ended, fault, inits, links } = await startPullSite();
    fault('video_init', { kind: 'drop_after' });
    const path = await makeVideo(pipeline.folder, 1_000);
    const media = { type: 'file' as const, path, via: 'pull' as const };
    const job = await ended(await pipeline.publisher.enqueue({ account, mode: 'direct', post, media }));
    expect(job).toMatchObject({ state: 'unconfirmed', failure: { code: 'TIKTOK_LOST_INIT' } });
    expect(inits()).toHaveLength(1);
    expect((await fetch(links[0] ?? '')).status).toBe(410);
  });

  it('fails with what to set where nobody knows how TikTok reaches the web server', async () => {
    const pipeline = await startTestPipeline();
    const { account, ended, inits } = await openCase(pipeline);
    const path = await makeVideo(pipeline.folder, 1_000);
    const media = { type: 'file' as const, path, via: 'pull' as const };
    const job = await ended(await pipeline.publisher.enqueue({ account, mode: 'direct', post, media }));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'CONFIG_PULL_ADDRESS_MISSING' } });
    expect(inits()).toHaveLength(0);
  });
});

describe('a link that this service did not make', () => {
  it('leads to nothing, and no page lists any', async () => {
    const { baseUrl, pipeline } = await startPullSite();
    const other = await pipeline.app.sealer.seal(JSON.stringify({ jobId: 'x', index: 0 }), 'connect-link:x');
    const statuses = [];
    for (const path of ['/pull', '/pull/', '/pull/x/video.mp4', `/pull/${other}/video.mp4`, '/pull/../healthz/x']) {
      statuses.push((await fetch(`${baseUrl}${path}`)).status);
    }
    expect(statuses).toEqual([404, 404, 403, 403, 404]);
    const link = await pipeline.deps.linkToMedia?.('no-such-job', 0, {
      ...{ contentType: 'video/mp4', pin: { sizeBytes: 1, version: 'x' } },
    });
    expect(link).not.toContain('no-such-job');
    expect((await fetch(link ?? '')).status).toBe(404);
  });
});
