import { createHash, type Hash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { MovieLength } from './movie-length.ts';
import { pullFailure } from './publish-status.ts';
import type { Publish, PullTask } from './publishes.ts';
import type { World } from './world.ts';

/** "Maximum of 20 MB for each image" (content-posting-api-media-transfer-guide, read 2026-11-22). */
const MAX_PHOTO_BYTES = 20_000_000;

/**
 * Downloads what was to be pulled in the background, one URL after the other, as TikTok's servers would. Anything but a
 * complete 200 fails the pull; redirects are not followed ("3XX … is considered invalid", media-transfer-guide, read
 * 2026-11-22).
 */
export function startPullDownload(world: World, publish: Publish, pull: PullTask): void {
  const hash = world.settings.digest ? createHash('sha256') : undefined;
  void (async () => {
    try {
      for (const url of pull.urls) await downloadOne(world, publish, url, hash);
    } catch (error) {
      pull.refusedPhoto = error instanceof FormatRefused;
      pull.failReason = error instanceof FormatRefused ? 'file_format_check_failed' : pullFailure(pull);
      return;
    }
    pull.totalBytes = pull.downloadedBytes;
    pull.sha256 = hash?.digest('hex');
    publish.transferredAt = world.now();
  })();
}

/** A photo that came in and is none that TikTok takes. */
class FormatRefused extends Error {}

async function downloadOne(world: World, publish: Publish, url: string, hash: Hash | undefined): Promise<void> {
  const { pull } = publish;
  if (pull === undefined) return;
  const response = await get(url, world.closing.signal);
  pull.answeredStatus = response.statusCode;
  if (response.statusCode !== 200) {
    response.destroy();
    throw new Error(`answered ${response.statusCode}`);
  }
  const announcedBytes = Number(response.headers['content-length']);
  if (pull.media === 'video' && Number.isSafeInteger(announcedBytes)) pull.totalBytes = announcedBytes;
  const length = new MovieLength();
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    pull.downloadedBytes += piece.length;
    hash?.update(piece);
    length.add(piece);
    if (pull.media === 'photos') {
      pieces.push(piece);
      if (bytes > MAX_PHOTO_BYTES) throw new FormatRefused();
    }
    if (publish.ended !== undefined) throw new Error('ended');
  }
  publish.seconds = length.seconds;
  if (pull.media === 'photos' && !isAcceptedPhoto(Buffer.concat(pieces))) throw new FormatRefused();
}

function get(url: string, signal: AbortSignal): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? https : http).get(url, { signal, agent: false }, resolve);
    request.on('error', reject);
  });
}

/** WebP or JPEG, told by the first bytes; integrators report that PNG is refused (media-transfer-guide). */
function isAcceptedPhoto(bytes: Buffer): boolean {
  const isJpeg = bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]));
  const isWebp = bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP';
  return isJpeg || isWebp;
}
