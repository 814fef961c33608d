import { z } from 'zod';
import { PULL_PATH } from '../core/media-route.ts';
import type { Clock, LinkToMedia, MediaSource, Sealer, SourcePin } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { HOUR_MS, MINUTE_MS } from '../core/units.ts';

/**
 * TikTok gives a download up an hour after it began (content-posting-api-media-transfer-guide, read 2026-09-11); the rest
 * is for the init.
 */
const LINK_LIFE_MS = HOUR_MS + 15 * MINUTE_MS;

/** Keeps a sealed value of another use from opening as a link. */
const CONTEXT = 'pull-link';

/** What a link leads to. */
export interface PullTarget {
  readonly jobId: string;
  /** Which of the job's media: 0 for a video, the number of a photo. */
  readonly index: number;
  /** The bytes as they were checked. */
  readonly pin: SourcePin;
  readonly expiresAt: number;
}

const targetSchema = z.object({
  jobId: z.string(),
  index: z.int(),
  pin: z.object({ sizeBytes: z.int(), version: z.string() }),
  expiresAt: z.int(),
});

/** Some readers go by the end of a path. */
const NAMES: Readonly<Record<MediaSource['contentType'], string>> = {
  'video/mp4': 'video.mp4',
  'video/quicktime': 'video.mov',
  'video/webm': 'video.webm',
  'image/jpeg': 'photo.jpg',
  'image/webp': 'photo.webp',
};

/**
 * Makes links below our own address. All that a link contains is sealed with our key: nobody can read it or make another.
 * @param baseUrl how TikTok reaches our web server
 */
export function linkMaker(baseUrl: string, sealer: Sealer, clock: Clock): LinkToMedia {
  return async (jobId, index, { pin, contentType }) => {
    const target: PullTarget = { jobId, index, pin, expiresAt: clock.now() + LINK_LIFE_MS };
    const token = await sealer.seal(JSON.stringify(target), CONTEXT);
    return `${baseUrl}${PULL_PATH}/${token}/${NAMES[contentType]}`;
  };
}

/** What a link's token contains; undefined for one that we did not make. */
export async function openPullToken(token: string, sealer: Sealer): Promise<PullTarget | undefined> {
  try {
    return targetSchema.parse(JSON.parse(await sealer.open(token, CONTEXT)));
  } catch (error) {
    if (error instanceof PublishError) return undefined;
    throw error;
  }
}
