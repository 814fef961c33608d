import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname } from 'node:path';
import type { RedisClient } from '../../src/redis/lua-script.ts';
import { type Simulator, startSimulator } from '../../src/simulator/index.ts';
import { eventually } from './eventually.ts';

const FOLDER = new URL('../fixtures/redis-a3e916a/', import.meta.url);
const MARGIN_MS = 40 * 86_400_000;
/** BullMQ keeps the time of a delayed entry in the upper bits of its score. */
const BULLMQ_SCORE_FACTOR = 4_096;

/** A publish as TikTok knew it when the dump was made. */
interface RecordedPublish {
  readonly openId: string;
  readonly kind: 'direct' | 'inbox';
  readonly publishId: string;
  readonly postInfo: Readonly<Record<string, unknown>>;
  readonly totalBytes?: number;
  readonly acceptedBytes: number;
  readonly status: string;
  readonly failReason?: string;
}

/** What is known of the dump. */
export interface RecordedFacts {
  readonly prefix: string;
  readonly encryptionKey: string;
  readonly recordedAt: number;
  readonly ports: { readonly simulator: number; readonly web: number };
  readonly file: string;
  readonly chunkSizeBytes: number;
  readonly accounts: readonly string[];
  /** Ids of the jobs, by what they are examples of. */
  readonly jobs: Readonly<Record<string, string>>;
  readonly streamIds: readonly string[];
  readonly publishes: readonly RecordedPublish[];
}

interface Entry {
  readonly key: string;
  readonly type: string;
  readonly ttlMs?: number;
  readonly value: never;
}

/** What version a3e916a left in Redis. */
export const RECORDED = JSON.parse(readFileSync(new URL('facts.json', FOLDER), 'utf8')) as RecordedFacts;

/**
 * Loads the dump under another prefix, as if it had been recorded `ageMs` ago.
 * @returns by how much its instants are later (ms)
 */
export async function loadRecordedRedis(redis: RedisClient, prefix: string, ageMs: number): Promise<number> {
  const byMs = Date.now() - ageMs - RECORDED.recordedAt;
  const text = shiftTimes(readFileSync(new URL('dump.jsonl', FOLDER), 'utf8'), byMs).replaceAll(
    RECORDED.prefix,
    prefix,
  );
  for (const line of text.trim().split('\n')) {
    const { key, type, ttlMs, value } = JSON.parse(line) as Entry;
    if (ttlMs !== undefined && ttlMs <= ageMs) continue;
    await put(redis, key, type, key.endsWith(':delayed') ? shiftScores(value, byMs) : value);
    if (ttlMs !== undefined) await redis.pexpire(key, Math.ceil(ttlMs - ageMs));
  }
  return byMs;
}

/** The same text with each instant of the recording later by so much. */
export function shiftTimes(text: string, byMs: number): string {
  return text
    .replace(/(?<![\d.])\d{13}(?!\d)/g, (digits) => {
      const isInstant = Math.abs(Number(digits) - RECORDED.recordedAt) < MARGIN_MS;
      return isInstant ? String(Number(digits) + byMs) : digits;
    })
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, (iso) => new Date(Date.parse(iso) + byMs).toISOString());
}

function shiftScores(pairs: readonly string[], byMs: number): readonly string[] {
  return pairs.map((text, at) => (at % 2 === 0 ? text : String(Number(text) + byMs * BULLMQ_SCORE_FACTOR)));
}

async function put(redis: RedisClient, key: string, type: string, value: unknown): Promise<void> {
  const texts = value as string[];
  if (type === 'string') await redis.set(key, value as string);
  else if (type === 'hash') await redis.hset(key, value as Record<string, string>);
  else if (type === 'list') await redis.rpush(key, ...texts);
  else if (type === 'set') await redis.sadd(key, ...texts);
  else if (type === 'zset') {
    for (let at = 0; at < texts.length; at += 2) await redis.zadd(key, texts[at + 1] ?? '', texts[at] ?? '');
  } else for (const [id, fields] of value as [string, string[]][]) await redis.xadd(key, id, ...fields);
}

const VIDEO_START = Buffer.from('0000001c667479706d703432000000006d70343269736f6d61766331', 'hex');

/** The very bytes that the recorded jobs publish. */
function videoOf(sizeBytes: number): Buffer {
  const video = Buffer.alloc(sizeBytes, 'a video of the recorded dump ');
  VIDEO_START.copy(video);
  return video;
}

/** What the recorded jobs name: a file, videos on a web server, receivers of callbacks. */
export async function startRecordedWeb() {
  const delivered: { readonly path: string; readonly id: string }[] = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost');
    for await (const _ of request);
    if (pathname.startsWith('/hook')) {
      delivered.push({ path: request.url ?? '', id: String(request.headers['webhook-id']) });
      response.writeHead(204).end();
      return;
    }
    const size = Number(/-(\d+)\.mp4$/.exec(pathname)?.[1]);
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const [start, end] = [Number(match?.[1] ?? 0), Math.min(Number(match?.[2] ?? size - 1), size - 1)];
    response.writeHead(match === null ? 200 : 206, {
      'content-type': 'video/mp4',
      'content-length': end - start + 1,
      etag: `"recorded-${size}"`,
      ...(match !== null && { 'content-range': `bytes ${start}-${end}/${size}` }),
    });
    response.end(videoOf(size).subarray(start, end + 1));
  });
  // The address is part of what is recorded; another run of the tests on this machine may have it for a moment.
  const listen = () =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(RECORDED.ports.web, '127.0.0.1', resolve);
    });
  await eventually(listen, { timeoutMs: 50_000, intervalMs: 250 });
  await mkdir(dirname(RECORDED.file), { recursive: true });
  await writeFile(RECORDED.file, videoOf(1_000));
  return {
    delivered,
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(dirname(RECORDED.file), { recursive: true, force: true });
    },
  };
}

/**
 * A TikTok that knows what the recorded one knew: the same seed and the same calls give the same tokens, upload URLs
 * and publish ids. What was under way goes well unless it had failed.
 */
export async function startRecordedTikTok(ageMs: number): Promise<Simulator> {
  let lagMs = ageMs + 60_000;
  const simulator = await startSimulator({
    ...{ port: RECORDED.ports.simulator, processingMs: 20, pullMs: 20 },
    clock: { now: () => Date.now() - lagMs },
    verifiedUrlPrefixes: ['https://videos.example.com/'],
  });
  const tokens = new Map<string, string>();
  for (const account of RECORDED.accounts) {
    const { openId, accessToken } = simulator.addAccount({ openId: `open-id-${account}` });
    tokens.set(openId, accessToken);
  }
  for (const publish of RECORDED.publishes) await replay(publish, simulator, tokens.get(publish.openId) ?? '');
  lagMs = 0;
  simulator.revokeGrant('open-id-tom');
  return simulator;
}

async function replay(publish: RecordedPublish, simulator: Simulator, token: string): Promise<void> {
  const { kind, publishId, postInfo, totalBytes, acceptedBytes, failReason } = publish;
  const isPhotos = publishId.startsWith('p_');
  const path = isPhotos ? 'content' : kind === 'inbox' ? 'inbox/video' : 'video';
  const photos = ['https://videos.example.com/a.jpg', 'https://videos.example.com/b.jpg'];
  const chunkSize = Math.min(totalBytes ?? 0, RECORDED.chunkSizeBytes);
  const body = isPhotos
    ? {
        ...{ media_type: 'PHOTO', post_mode: 'DIRECT_POST', post_info: postInfo },
        source_info: { source: 'PULL_FROM_URL', photo_images: photos, photo_cover_index: 0 },
      }
    : {
        post_info: postInfo,
        source_info:
          totalBytes === undefined
            ? { source: 'PULL_FROM_URL', video_url: 'https://videos.example.com/a.mp4' }
            : {
                ...{ source: 'FILE_UPLOAD', video_size: totalBytes, chunk_size: chunkSize },
                total_chunk_count: Math.floor(totalBytes / chunkSize),
              },
      };
  const response = await fetch(`${simulator.url}/v2/post/publish/${path}/init/`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json; charset=UTF-8' },
    body: JSON.stringify(body),
  });
  const { data, error } = (await response.json()) as { data?: Record<string, string>; error: unknown };
  if (data?.publish_id !== publishId) throw new Error(`${publishId} became ${JSON.stringify({ data, error })}`);
  for (let start = 0; totalBytes !== undefined && start < acceptedBytes; start += chunkSize) {
    const end = Math.min(start + chunkSize, totalBytes);
    const headers = { 'content-type': 'video/mp4', 'content-range': `bytes ${start}-${end - 1}/${totalBytes}` };
    const put = await fetch(data.upload_url ?? '', {
      ...{ method: 'PUT', headers, body: new Uint8Array(videoOf(totalBytes).subarray(start, end)) },
    });
    if (!put.ok) throw new Error(`${publishId} took no bytes: ${put.status}`);
  }
  if (failReason !== undefined) simulator.settle(publishId, failReason);
}
