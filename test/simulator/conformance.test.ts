import { describe, expect, it } from 'vitest';
import { type AccountTokens, conformanceText, type RuleId, type Simulator } from '../../src/simulator/index.ts';
import { call, callOauth, directPost, put, send } from './api-calls.ts';
import { initDraft, initFile, start } from './simulators.ts';

const ids = (simulator: Simulator, verdict: string): RuleId[] =>
  simulator
    .conformance()
    .rules.filter((rule) => rule.verdict === verdict)
    .map(({ id }) => id);

const findings = (simulator: Simulator, id: RuleId) =>
  simulator.conformance().rules.find((rule) => rule.id === id)?.findings ?? [];

const announce = (simulator: Simulator, account: AccountTokens, size: number, chunk: number, count: number) =>
  call(simulator, account, 'inbox_init', {
    source_info: { source: 'FILE_UPLOAD', video_size: size, chunk_size: chunk, total_chunk_count: count },
  });

describe('the conformance report', () => {
  it('says of a simulator that nobody called that no rule was exercised', async () => {
    const simulator = await start();
    expect(simulator.conformance()).toMatchObject({ metCount: 0, brokenCount: 0 });
    expect(ids(simulator, 'not_exercised')).toHaveLength(simulator.conformance().rules.length);
  });

  it('tells a client that sends chunks of up to 64 MiB exactly the sizes that break, and those that fit', async () => {
    const simulator = await start();
    const account = simulator.addAccount();
    const mebibytes64 = 67_108_864;
    await announce(simulator, account, 1_000, 1_000, 1);
    await announce(simulator, account, mebibytes64, mebibytes64, 1);
    await announce(simulator, account, 100_000_000, mebibytes64, 1);
    await announce(simulator, account, 150_000_000, 50_000_000, 2);
    expect(ids(simulator, 'broken')).toEqual(['chunk-size-max', 'chunk-count', 'one-chunk']);
    expect(findings(simulator, 'chunk-size-max')).toEqual([
      {
        seq: 2,
        under: 'megabyte: decimal',
        what:
          'video_size 67108864, chunk_size 67108864, total_chunk_count 1: chunk_size 67108864 is over 64000000; ' +
          'chunk_size 32000000, total_chunk_count 2 fit',
      },
      {
        seq: 3,
        under: 'megabyte: decimal',
        what:
          'video_size 100000000, chunk_size 67108864, total_chunk_count 1: chunk_size 67108864 is over 64000000; ' +
          'chunk_size 32000000, total_chunk_count 3 fit',
      },
    ]);
    expect(findings(simulator, 'one-chunk')).toEqual([
      {
        seq: 3,
        what:
          'video_size 100000000, chunk_size 67108864, total_chunk_count 1: chunk_size 67108864 is not video_size 100000000; ' +
          'chunk_size 32000000, total_chunk_count 3 fit',
      },
    ]);
    expect(findings(simulator, 'chunk-count')[0]?.what).toContain(
      'total_chunk_count 2 is not floor(150000000 / 50000000) = 3',
    );
  });

  it('shows rules that a client breaks in its calls, each by its request', async () => {
    const simulator = await start({ verifiedUrlPrefixes: ['example.com'] });
    const account = simulator.addAccount({ openId: 'ann', private: true, scopes: ['video.publish'] });
    const other = simulator.addAccount({ openId: 'bob' });
    const jsonInit = { source_info: { source: 'FILE_UPLOAD', video_size: 9, chunk_size: 9, total_chunk_count: 1 } };
    await call(simulator, account, 'inbox_init', jsonInit);
    await call(simulator, account, 'video_init', directPost(9, { privacy_level: 'PUBLIC_TO_EVERYONE' }));
    await call(simulator, account, 'video_init', directPost(9, { title: 'x'.repeat(2_201) }));
    await call(simulator, account, 'video_init', directPost(9, { brand_content_toggle: true }));
    await call(simulator, account, 'video_init', { post_info: { privacy_level: 'SELF_ONLY' }, source_info: {} });
    await call(simulator, account, 'video_init', {
      post_info: { privacy_level: 'SELF_ONLY' },
      source_info: { source: 'PULL_FROM_URL', video_url: 'http://media.test/a.mp4?signature=s3cret' },
    });
    await call(simulator, other, 'video_init', {
      post_info: { privacy_level: 'SELF_ONLY' },
      source_info: { source: 'PULL_FROM_URL', video_url: 'https://media.test/a.mp4?signature=s3cret' },
    });
    await call(simulator, account, 'content_init', { source_info: { source: 'FILE_UPLOAD' } });
    await call(simulator, account, 'creator_info', {}, { headers: { authorization: 'token' } });
    await call(simulator, account, 'creator_info', {}, { headers: { 'content-type': 'text/plain' } });
    await send(`${simulator.url}/v2/post/publish/status/fetch`, { method: 'POST' });
    expect(ids(simulator, 'broken')).toEqual([
      'path',
      'authorization',
      'content-type',
      'scope',
      'request-fields',
      'creator-asked',
      'privacy-offered',
      'branded-visibility',
      'text-length',
      'photo-list',
      'pull-https',
      'pull-verified',
    ]);
    expect(simulator.journal.entries.map(({ broke }) => broke)).toContainEqual(['scope']);
    expect(JSON.stringify(simulator.conformance())).not.toContain('s3cret');
  });

  it('shows rules that a client breaks in its uploads', async () => {
    const simulator = await start();
    const account = simulator.addAccount();
    const size = 10_485_760;
    const half = size / 2;
    const reply = await announce(simulator, account, size, half, 2);
    const uploadUrl = String((reply.json.data as Record<string, unknown>).upload_url);
    await put(uploadUrl, Buffer.alloc(half), half, size);
    await put(uploadUrl, Buffer.alloc(half), half, size);
    await put(uploadUrl, Buffer.alloc(1_000), 0, size);
    await put(uploadUrl, Buffer.alloc(half), 0, size, { headers: { 'content-type': 'application/octet-stream' } });
    expect(ids(simulator, 'broken')).toEqual(['put-headers', 'put-as-announced', 'put-in-order', 'resume-after-416']);
    expect(findings(simulator, 'put-as-announced')).toEqual([
      { seq: 4, what: 'bytes 0-999/10485760; init announced bytes 0-5242879/10485760' },
    ]);
    expect(findings(simulator, 'resume-after-416')).toEqual([
      { seq: 3, what: 'bytes 5242880-10485759/10485760 again; TikTok has 0 bytes' },
    ]);
  });

  it('shows a post that was made twice, an outcome that nobody asked for, and calls beyond the limit', async () => {
    const simulator = await start({ processingMs: 0, limits: { initPerMinute: 2 } });
    const account = simulator.addAccount({ openId: 'ann' });
    await call(simulator, account, 'creator_info', {});
    const video = Buffer.alloc(1_000);
    for (const _ of [1, 2]) await put((await initFile(simulator, account, 1_000)).uploadUrl, video, 0, 1_000);
    await call(simulator, account, 'video_init', directPost(1_000));
    expect(ids(simulator, 'broken')).toEqual(['calls-per-minute', 'outcome-learnt', 'posted-once']);
    const [first, second] = simulator.journal.publishes().map(({ publishId }) => publishId);
    expect(findings(simulator, 'posted-once')).toEqual([{ what: `${first} and ${second} are the same` }]);
    await call(simulator, account, 'status', { publish_id: first });
    await call(simulator, account, 'status', { publish_id: second });
    expect(ids(simulator, 'broken')).toEqual(['calls-per-minute', 'posted-once']);
    expect(ids(simulator, 'met')).toContain('outcome-learnt');
    simulator.reset();
    expect(ids(simulator, 'broken')).toEqual([]);
  });

  it('shows a refresh token that is used again, unless the answer with the new one got lost', async () => {
    const simulator = await start();
    const refresh = (refreshToken: string) =>
      callOauth(simulator, 'token', { grant_type: 'refresh_token', refresh_token: refreshToken });
    const ann = simulator.addAccount();
    simulator.faults.add({ endpoint: 'token', act: { kind: 'drop_after' } });
    await refresh(ann.refreshToken).catch(() => undefined);
    await refresh(ann.refreshToken);
    expect(ids(simulator, 'broken')).toEqual([]);
    const bob = simulator.addAccount();
    await refresh(bob.refreshToken);
    await refresh(bob.refreshToken);
    expect(ids(simulator, 'broken')).toEqual(['newest-refresh-token']);
  });

  it('asks for no outcome of a post whose init was never answered', async () => {
    const simulator = await start({ processingMs: 0, pullMs: 0, verifiedUrlPrefixes: ['example.com'] });
    const account = simulator.addAccount();
    const source_info = { source: 'PULL_FROM_URL', video_url: 'https://example.com/a.mp4' };
    simulator.faults.add({ endpoint: 'inbox_init', act: { kind: 'drop_after' } });
    await call(simulator, account, 'inbox_init', { source_info }).catch(() => undefined);
    expect(simulator.journal.publishes()).toMatchObject([{ status: 'SEND_TO_USER_INBOX' }]);
    expect(ids(simulator, 'broken')).toEqual([]);
  });

  it('takes http on this machine where a switch lets TikTok pull from there', async () => {
    const prefix = 'http://127.0.0.1:9/';
    const switches = { pullUrlRules: 'loopback' } as const;
    const simulator = await start({ verifiedUrlPrefixes: [prefix, 'http://example.com/'], switches });
    const pull = (video_url: string) =>
      call(simulator, simulator.addAccount(), 'inbox_init', { source_info: { source: 'PULL_FROM_URL', video_url } });
    await pull(`${prefix}a.mp4`);
    expect(ids(simulator, 'met')).toContain('pull-https');
    await pull('http://example.com/a.mp4');
    expect(ids(simulator, 'broken')).toContain('pull-https');
  });

  it('does not hold scripted faults against the client', async () => {
    const simulator = await start({ processingMs: 600_000 });
    const account = simulator.addAccount();
    for (const code of ['invalid_params', 'rate_limit_exceeded', 'scope_not_authorized']) {
      simulator.faults.add({ endpoint: 'inbox_init', act: { kind: 'status', httpStatus: 400, code } });
      await announce(simulator, account, 9, 9, 1);
    }
    // The answer to the chunk got lost: it is sent again, as the documentation asks for.
    const { uploadUrl } = await initDraft(simulator, account, 1_000);
    simulator.faults.add({ endpoint: 'upload', act: { kind: 'drop_after' } });
    await put(uploadUrl, Buffer.alloc(1_000), 0, 1_000).catch(() => undefined);
    await put(uploadUrl, Buffer.alloc(1_000), 0, 1_000);
    // A success that is none: the client goes on with the next chunk.
    const size = 10_485_760;
    const reply = await announce(simulator, account, size, size / 2, 2);
    const twoChunks = String((reply.json.data as Record<string, unknown>).upload_url);
    simulator.faults.add({ endpoint: 'upload', act: { kind: 'raw', httpStatus: 206, body: '' } });
    await put(twoChunks, Buffer.alloc(size / 2), 0, size);
    await put(twoChunks, Buffer.alloc(size / 2), size / 2, size);
    expect(ids(simulator, 'broken')).toEqual([]);
  });

  it('is a text for people: what nothing has tried, what was met, and last what broke, with the source', async () => {
    const simulator = await start();
    await announce(simulator, simulator.addAccount(), 67_108_864, 67_108_864, 1);
    const text = conformanceText(simulator.conformance());
    expect(text).toMatch(/1 rule broken, \d+ met, \d+ not exercised\.$/);
    expect(text).toContain('BROKEN  chunk-size-max  (1 of 1)');
    expect(text).toContain('(only under the reading megabyte: decimal)');
    expect(text).toContain('content-posting-api-media-transfer-guide, read 2026-11-22');
    expect(text).toMatch(/^NOT EXERCISED\n[\s\S]*MET\n {2}path .*\n[\s\S]*BROKEN/);
  });
});
