import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { Publish, PullTask } from './publishes.ts';
import type { World } from './world.ts';

/**
 * Downloads a pulled URL in the background, as TikTok's servers would. Anything but a complete 200 fails the pull;
 * redirects are not followed ("3XX … is considered invalid", media-transfer-guide, read 2026-11-22).
 */
export function startPullDownload(world: World, publish: Publish, pull: PullTask): void {
  const { get } = pull.videoUrl.startsWith('https:') ? https : http;
  const request = get(pull.videoUrl, { signal: world.closing.signal, agent: false }, (response) => {
    if (response.statusCode !== 200) {
      pull.failed = true;
      response.destroy();
      return;
    }
    const announcedBytes = Number(response.headers['content-length']);
    if (Number.isSafeInteger(announcedBytes)) pull.totalBytes = announcedBytes;
    const hash = world.settings.digest ? createHash('sha256') : undefined;
    response.on('data', (bytes: Buffer) => {
      pull.downloadedBytes += bytes.length;
      hash?.update(bytes);
      if (publish.ended !== undefined) response.destroy();
    });
    response.on('end', () => {
      pull.totalBytes = pull.downloadedBytes;
      pull.sha256 = hash?.digest('hex');
      publish.transferredAt = world.now();
    });
    response.on('error', () => {
      pull.failed = true;
    });
  });
  request.on('error', () => {
    pull.failed = true;
  });
}
