import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PublishRequest } from '../../src/core/publish-request.ts';
import { type MediaWebServer, startMediaWebServer } from '../support/media-web-server.ts';
import { createBucket } from '../support/s3-bucket.ts';
import { hasSwift, SWIFT_CREDENTIALS, type SwiftServer, startSwift } from '../support/swift-server.ts';
import { makeVideo, sha256OfFile } from '../support/videos.ts';
import { accountNames, startFleet } from './fleet.ts';

const UPLOADS = 4;
const VIDEO_BYTES = 1_000_000_000;
/** Far above what was ever measured, far below one video. */
const MAX_RSS_BYTES = 400_000_000;

let folder: string;
let path: string;
let sha256: string;
let web: MediaWebServer;
let swift: SwiftServer | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-large-'));
  path = await makeVideo(folder, VIDEO_BYTES, 'large.mp4');
  sha256 = await sha256OfFile(path);
  web = await startMediaWebServer(folder);
  if (!hasSwift()) return;
  swift = await startSwift();
  const bucket = await createBucket(swift, 'videos');
  await bucket.putFile('large.mp4', path);
  bucket.close();
}, 300_000);

afterAll(async () => {
  await web.close();
  await swift?.close();
  await rm(folder, { recursive: true, force: true });
});

/** The most memory that a process ever held (bytes); Linux tells. */
function peakRssBytes(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1_024;
}

async function measure(what: string, media: PublishRequest['media']): Promise<void> {
  const fleet = await startFleet({
    environment: {
      OUTBOUND_ALLOW_HOSTS: web.allowHosts.join(','),
      S3_ENDPOINT: swift?.endpoint ?? '',
      S3_FORCE_PATH_STYLE: 'true',
      AWS_ACCESS_KEY_ID: SWIFT_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: SWIFT_CREDENTIALS.secretAccessKey,
      // The test's videos are random bytes behind the start of an MP4.
      PREFLIGHT: 'off',
    },
  });
  try {
    const accounts = accountNames('large', UPLOADS);
    await fleet.addAccounts(accounts);
    const [pid = 0] = await fleet.startWorkers(1);
    const idleBytes = peakRssBytes(pid);
    const begunAt = performance.now();
    await fleet.enqueue(
      accounts.map((account) => ({ account, mode: 'direct', media, post: { privacyLevel: 'SELF_ONLY' } })),
    );
    await fleet.uploaded(UPLOADS, 500_000);
    const seconds = (performance.now() - begunAt) / 1_000;
    const rssBytes = peakRssBytes(pid);
    await fleet.published(UPLOADS, 100_000);
    const publishes = fleet.simulator.journal.publishes();
    expect(publishes.map((publish) => publish.sha256)).toEqual(Array(UPLOADS).fill(sha256));
    expect(publishes.map(({ resentBytes }) => resentBytes)).toEqual(Array(UPLOADS).fill(0));
    const mebibytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`;
    const rate = Math.round((UPLOADS * VIDEO_BYTES) / seconds / 1_000_000);
    process.stdout.write(
      `scale: ${UPLOADS} uploads of 1 GB at once from ${what}: ${seconds.toFixed(1)} s, ${rate} MB/s, peak RSS ${mebibytes(rssBytes)} (${mebibytes(idleBytes)} at its start)\n`,
    );
    expect(rssBytes).toBeLessThan(MAX_RSS_BYTES);
  } finally {
    await fleet.close();
  }
}

describe('four uploads of 1 GB at once take flat memory', () => {
  it('from disk', async () => {
    await measure('disk', { type: 'file', path });
  });

  it('from a web server', async () => {
    await measure('HTTP', { type: 'url', url: web.url(path) });
  });

  it.skipIf(!hasSwift())('from object storage (needs Swift)', async () => {
    await measure('S3 (Swift)', { type: 's3', bucket: 'videos', key: 'large.mp4' });
  });
});
