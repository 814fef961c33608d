import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type ChunkPlan, chunkAt, chunkIndexAtOffset, edgeForReport, planChunks } from '../../src/core/chunk-plan.ts';
import type { MediaSource } from '../../src/core/ports.ts';
import { openFileSource } from '../../src/media/file-source.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts';
import { createTikTokClient } from '../../src/tiktok/index.ts';
import { rejection } from '../support/rejection.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A simulator, a client of it and an account. */
async function connected(options: SimulatorOptions = {}) {
  const simulator = await startSimulator(options);
  cleanups.push(simulator.close);
  const client = createTikTokClient({
    apiBaseUrl: simulator.url,
    timeouts: { stallMs: 500 },
    briefRetry: { firstDelayMs: 1, totalMs: 5_000 },
  });
  cleanups.push(client.close);
  const account = simulator.addAccount();
  return { simulator, client, account, context: { accessToken: account.accessToken } };
}

/** A file of this size that passes for an MP4. */
async function video(sizeBytes: number): Promise<{ source: MediaSource; sha256: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-client-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const head = Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isomiso2', 'latin1');
  const bytes = Buffer.concat([head, randomBytes(sizeBytes - head.length)]);
  const path = join(folder, 'a.mp4');
  await writeFile(path, bytes);
  const source = await openFileSource(path);
  cleanups.push(source.close);
  return { source, sha256: createHash('sha256').update(bytes).digest('hex') };
}

type Connected = Awaited<ReturnType<typeof connected>>;

/** Begins a direct post of a file; `put` sends one chunk of it. */
async function begin({ client, context }: Connected, source: MediaSource) {
  const plan = planChunks(source.pin.sizeBytes);
  const post = { title: 'Hello', privacyLevel: 'PUBLIC_TO_EVERYONE' } as const;
  const init = await client.initDirectVideo({ post, source: { kind: 'file_upload', plan } }, context);
  const put = (index: number) => {
    const chunk = chunkAt(plan, index);
    return client.putChunk({
      uploadUrl: init.uploadUrl ?? '',
      chunk,
      totalBytes: plan.totalBytes,
      contentType: source.contentType,
      body: () => source.read(chunk.startByte, chunk.endByteExclusive),
    });
  };
  return { plan, publishId: init.publishId, put };
}

/** The index of the chunk that TikTok expects next, by its own report. */
function nextIndex(plan: ChunkPlan, reportedBytes: number | undefined): number | undefined {
  const edge = edgeForReport(plan, reportedBytes ?? -1);
  return edge === undefined ? undefined : chunkIndexAtOffset(plan, edge);
}

const outcomeOf = ({ client, context }: Connected, publishId: string) => client.fetchStatus({ publishId }, context);

async function settled(tiktok: Connected, simulator: Simulator, publishId: string) {
  simulator.settle(publishId);
  return outcomeOf(tiktok, publishId);
}

describe('the TikTok client with the simulator', () => {
  it('uploads a file in several chunks, byte for byte', async () => {
    const tiktok = await connected();
    const { source, sha256 } = await video(25_000_123);
    const { plan, publishId, put } = await begin(tiktok, source);
    expect(plan.chunkCount).toBe(2);
    expect(await put(0)).toMatchObject({ complete: false, httpStatus: 206 });
    expect(await put(1)).toMatchObject({ complete: true, httpStatus: 201 });
    const status = await settled(tiktok, tiktok.simulator, publishId);
    const [post] = tiktok.simulator.journal.posts();
    expect(status).toMatchObject({ status: 'PUBLISH_COMPLETE', postIds: [post?.postId] });
    expect(post?.sha256).toBe(sha256);
  });

  it.each(['count', 'last-index'] as const)(
    'knows where to go on when replies carry a %s',
    async (contentRangeReading) => {
      const tiktok = await connected({ switches: { contentRangeReading } });
      const { source } = await video(30_000_000);
      const { plan, put } = await begin(tiktok, source);
      const taken = await put(0);
      expect(nextIndex(plan, taken.reportedUploadedBytes)).toBe(1);
      const refusal = await rejection(put(2));
      expect(refusal.code).toBe('UPLOAD_OFFSET_MISMATCH');
      expect(nextIndex(plan, refusal.details.reportedUploadedBytes)).toBe(1);
    },
  );

  it('finds the accepted offset after a break in the midst of a chunk', async () => {
    const tiktok = await connected();
    const { source, sha256 } = await video(30_000_000);
    const { plan, publishId, put } = await begin(tiktok, source);
    tiktok.simulator.faults.add({
      endpoint: 'upload',
      when: { chunkIndex: 1 },
      act: { kind: 'drop_mid_body', afterBytes: 3_000_000 },
    });
    await put(0);
    await expect(put(1)).rejects.toMatchObject({ code: 'TRANSPORT_NO_ANSWER' });
    const { uploadedBytes } = await outcomeOf(tiktok, publishId);
    expect(nextIndex(plan, uploadedBytes)).toBe(1);
    await put(1);
    expect((await put(2)).complete).toBe(true);
    expect(tiktok.simulator.journal.publishes()[0]?.sha256).toBe(sha256);
  });

  it('learns from the status that a chunk arrived although its answer was lost', async () => {
    const tiktok = await connected();
    const { source } = await video(30_000_000);
    const { plan, publishId, put } = await begin(tiktok, source);
    tiktok.simulator.faults.add({ endpoint: 'upload', when: { chunkIndex: 0 }, act: { kind: 'drop_after' } });
    await expect(put(0)).rejects.toMatchObject({ code: 'TRANSPORT_NO_ANSWER' });
    const { uploadedBytes } = await outcomeOf(tiktok, publishId);
    expect(nextIndex(plan, uploadedBytes)).toBe(1);
  });

  it('notices an upload that stands still', async () => {
    const tiktok = await connected();
    const { source } = await video(30_000_000);
    const { put } = await begin(tiktok, source);
    tiktok.simulator.faults.add({ endpoint: 'upload', act: { kind: 'stall', afterBytes: 1_000_000 } });
    await expect(put(0)).rejects.toMatchObject({ code: 'UPLOAD_STALLED' });
  });

  it('is refused a pull from a place that is not verified, and pulls from one that is', async () => {
    const { client, context } = await connected({ verifiedUrlPrefixes: ['https://videos.example.com/'] });
    const pull = (url: string) =>
      client.initDirectVideo({ post: { privacyLevel: 'SELF_ONLY' }, source: { kind: 'pull', url } }, context);
    await expect(pull('https://other.example.com/a.mp4')).rejects.toMatchObject({ code: 'TIKTOK_URL_UNVERIFIED' });
    const begun = await pull('https://videos.example.com/a.mp4');
    expect(begun.uploadUrl).toBeUndefined();
    expect(await client.fetchStatus({ publishId: begun.publishId }, context)).toMatchObject({
      status: 'PROCESSING_DOWNLOAD',
    });
    expect(await client.cancelPublish({ publishId: begun.publishId }, context)).toBeUndefined();
  });

  it('delivers a draft to the inbox', async () => {
    const tiktok = await connected({ processingMs: 0 });
    const { source } = await video(1_000);
    const plan = planChunks(1_000);
    const { publishId, uploadUrl } = await tiktok.client.initInboxVideo(
      { source: { kind: 'file_upload', plan } },
      tiktok.context,
    );
    const sent = await tiktok.client.putChunk({
      uploadUrl: uploadUrl ?? '',
      chunk: chunkAt(plan, 0),
      totalBytes: 1_000,
      contentType: 'video/mp4',
      body: () => source.read(0, 1_000),
    });
    expect(sent.complete).toBe(true);
    expect((await outcomeOf(tiktok, publishId)).status).toBe('SEND_TO_USER_INBOX');
  });

  it('reads what a creator may post', async () => {
    const { client, context } = await connected();
    expect(await client.queryCreatorInfo(context)).toMatchObject({
      privacyLevelOptions: ['PUBLIC_TO_EVERYONE', 'MUTUAL_FOLLOW_FRIENDS', 'SELF_ONLY'],
      maxVideoDurationSeconds: 3_600,
    });
  });

  it('runs into the limit of six inits a minute', async () => {
    const tiktok = await connected();
    const { source } = await video(1_000);
    for (let count = 0; count < 6; count += 1) await begin(tiktok, source);
    await expect(begin(tiktok, source)).rejects.toMatchObject({ code: 'TIKTOK_RATE_LIMITED' });
  });

  it('renews its tokens, and only once with the same refresh token', async () => {
    const { simulator, client, account, context } = await connected();
    const { clientKey, clientSecret } = simulator;
    simulator.expireAccessToken(account.openId);
    await expect(client.queryCreatorInfo(context)).rejects.toMatchObject({ code: 'AUTH_TOKEN_INVALID' });
    const refresh = () => client.refreshToken({ clientKey, clientSecret, refreshToken: account.refreshToken });
    const grant = await refresh();
    expect(grant).toMatchObject({ openId: account.openId, expiresInSeconds: 7_200 });
    expect((await client.queryCreatorInfo({ accessToken: grant.accessToken })).username).toBe('user_1');
    await expect(refresh()).rejects.toMatchObject({ code: 'AUTH_REAUTHORIZATION_REQUIRED' });
  });

  it('connects an account by its code and gives the access back', async () => {
    const { simulator, client, account } = await connected();
    const { clientKey, clientSecret } = simulator;
    const redirectUri = 'https://app.example.com/callback';
    const code = simulator.authorize(account.openId, redirectUri);
    const { accessToken } = await client.exchangeCode({ clientKey, clientSecret, code, redirectUri });
    await client.revokeToken({ clientKey, clientSecret, accessToken });
    await expect(client.queryCreatorInfo({ accessToken })).rejects.toMatchObject({ code: 'AUTH_TOKEN_INVALID' });
  });
});
