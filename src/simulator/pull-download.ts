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
 * Downloads what was to be pulled in the background, one URL after the other, as TikTok's servers would. Anything but the
 * complete file fails the pull; redirects are not followed ("3XX … is considered invalid", media-transfer-guide, read
 * 2026-11-22).
 */
export function startPullDownload(world: World, publish: Publish, pull: PullTask): void {
  const hash = world.settings.digest ? createHash('sha256') : undefined;
  void (async () => {
    try {
      for (const url of pull.urls) await downloadOne(world, publish, url, hash);
    } catch (error) {
      if (error instanceof StatusRefused) pull.refusedStatus = error.httpStatus;
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

/** An answer that is not the file. */
class StatusRefused extends Error {
  readonly httpStatus: number | undefined;

  constructor(httpStatus: number | undefined) {
    super(`answered ${httpStatus}`);
    this.httpStatus = httpStatus;
  }
}

async function downloadOne(world: World, publish: Publish, url: string, hash: Hash | undefined): Promise<void> {
  const { pull } = publish;
  if (pull === undefined) return;
  const length = new MovieLength();
  const pieces: Buffer[] = [];
  let bytes = 0;
  const announce = (totalBytes: number): void => {
    if (pull.media === 'video' && Number.isSafeInteger(totalBytes)) pull.totalBytes = totalBytes;
  };
  const inRanges = world.settings.switches.pullRequests === 'ranges';
  for await (const piece of inRanges ? bytesInRanges(world, url, announce) : bytesAtOnce(world, url, announce)) {
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

type Announce = (totalBytes: number) => void;

async function* bytesAtOnce(world: World, url: string, announce: Announce): AsyncGenerator<Buffer> {
  const response = await get(world, url, {});
  refuseStatus(response, 200);
  announce(Number(response.headers['content-length']));
  yield* response as AsyncIterable<Buffer>;
}

const RANGE_BYTES = 1_048_576;

/** Whether TikTok does so is not documented; a server that gives no ranges is read at once. */
async function* bytesInRanges(world: World, url: string, announce: Announce): AsyncGenerator<Buffer> {
  let etag: string | undefined;
  let totalBytes = Number.POSITIVE_INFINITY;
  for (let start = 0; start < totalBytes; start += RANGE_BYTES) {
    const range = `bytes=${start}-${Math.min(start + RANGE_BYTES, totalBytes) - 1}`;
    const response = await get(world, url, { range, ...(etag !== undefined && { 'if-range': etag }) });
    if (start === 0 && response.statusCode === 200) {
      yield* response as AsyncIterable<Buffer>;
      return;
    }
    refuseStatus(response, 206);
    const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers['content-range'] ?? '') ?? [];
    if (Number(first) !== start) throw new Error('another range');
    totalBytes = Number(total);
    etag = response.headers.etag;
    announce(totalBytes);
    yield* response as AsyncIterable<Buffer>;
  }
}

function refuseStatus(response: http.IncomingMessage, expected: number): void {
  if (response.statusCode === expected) return;
  response.destroy();
  throw new StatusRefused(response.statusCode);
}

function get(world: World, url: string, headers: http.OutgoingHttpHeaders): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { signal } = world.closing;
    const request = (url.startsWith('https:') ? https : http).get(url, { signal, headers, agent: false }, resolve);
    request.on('error', reject);
  });
}

/** WebP or JPEG, told by the first bytes; integrators report that PNG is refused (media-transfer-guide). */
function isAcceptedPhoto(bytes: Buffer): boolean {
  const isJpeg = bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]));
  const isWebp = bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP';
  return isJpeg || isWebp;
}
