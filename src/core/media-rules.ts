import type { MediaFacts, VideoFacts } from './media-facts.ts';
import type { PublishMode } from './new-request.ts';
import { findingOf, type PreflightFinding } from './preflight-finding.ts';
import { countText } from './quantity-text.ts';

/*
 * TikTok's limits of videos (developers.tiktok.com/doc/content-posting-api-media-transfer-guide, "Video restrictions",
 * read 2026-11-22): MP4, WebM or MOV; H.264, H.265, VP8 or VP9; 23 to 60 frames a second; 360 to 4096 pixels each way;
 * at most 10 minutes by API. The page of direct posts names the creator's own limit instead, which creator-rules.ts holds
 * against the video. What TikTok's pages say is refused here; what is only reported by integrators is a warning.
 */
const CODECS = ['h264', 'h265', 'vp8', 'vp9'];
const FRAMES_PER_SECOND = { min: 23, max: 60 };
const SIDE_PIXELS = { min: 360, max: 4_096 };
/** Of drafts. Many creators may post an hour directly (`max_video_post_duration_sec` 3600), if TikTok's API takes it. */
const MAX_SECONDS = 600;
/** Integrators report that shorter videos are refused; TikTok's pages name no shortest one. */
const MIN_SECONDS_REPORTED = 3;

/** Integrators report that TikTok refuses pictures narrower or wider than 9:16 to 16:9; no page names a shape. */
const WIDTH_PER_HEIGHT_REPORTED = { min: 9 / 16, max: 16 / 9 };
/** Encoders want even sides, so 9:16 at 406 pixels is 406 x 722. */
const SHAPE_TOLERANCE = 0.01;

/** Encoders round: a clock of 1/1000 s turns 60 frames a second into 60.02, and a camera's 60 is 60.1 at times. */
const FRAME_RATE_TOLERANCE = 0.01;
/** Sound ends a little after the picture, by up to a packet of it or two (s). */
export const DURATION_TOLERANCE_SECONDS = 0.5;

/** FourCCs under which one of the four codecs may hide: Dolby Vision and encrypted tracks. TikTok may know them. */
const DOUBTFUL_CODEC_IDS = ['dvh1', 'dvhe', 'dva1', 'dvav', 'encv'];

/**
 * Holds what is known of a video against what TikTok documents.
 * @param mode how it is published: a draft may be ten minutes long, a direct post what its creator may post
 * @param longestKnownSeconds of a direct post that TikTok published; no warning up to there
 * @returns nothing for a video that TikTok's documentation allows; a fact that is not known is never refused
 */
export function checkMediaRules(
  facts: MediaFacts,
  mode: PublishMode,
  longestKnownSeconds = MAX_SECONDS,
): PreflightFinding[] {
  const incomplete = incompleteFinding(facts);
  // Of half a file nothing else is certain.
  if (incomplete !== undefined) return [incomplete];
  const { video } = facts;
  const findings = [
    ...(video === null ? [noVideoFinding(facts)] : [codecFinding(video), frameRateFinding(video), sizeFinding(video)]),
    durationFinding(facts.durationSeconds, mode, longestKnownSeconds),
    unreadFinding(facts),
  ];
  return findings.filter((finding) => finding !== undefined);
}

function incompleteFinding({ moov, missingBytes, sizeBytes }: MediaFacts): PreflightFinding | undefined {
  const refusal = { severity: 'refuse', field: 'media' } as const;
  if (missingBytes > 0) {
    const [limit, found] = [`a file of ${sizeBytes + missingBytes} bytes`, `the first ${sizeBytes} bytes of it`];
    return findingOf('INPUT_MEDIA_INCOMPLETE', { ...refusal, limit, found });
  }
  if (moov !== 'missing') return undefined;
  const found = 'none, so the file cannot be played';
  return findingOf('INPUT_MEDIA_INCOMPLETE', { ...refusal, limit: 'an index (the moov box)', found });
}

function noVideoFinding({ audioTracks, videoTracks, unread }: MediaFacts): PreflightFinding | undefined {
  // Where the tracks could not be read, there may be one all the same.
  if (unread.length > 0 || videoTracks > 0) return undefined;
  const found = audioTracks > 0 ? 'only audio' : 'no track';
  return findingOf('INPUT_MEDIA_NO_VIDEO', { severity: 'refuse', field: 'media', limit: 'a video track', found });
}

function codecFinding({ codec, codecId }: VideoFacts): PreflightFinding | undefined {
  if (codec !== null && CODECS.includes(codec)) return undefined;
  const isDoubtful = codec === null && (codecId === null || DOUBTFUL_CODEC_IDS.includes(codecId));
  return findingOf('INPUT_MEDIA_CODEC', {
    severity: isDoubtful ? 'warn' : 'refuse',
    field: 'media.codec',
    limit: 'H.264, H.265, VP8 or VP9',
    found: codec ?? codecId ?? 'an unnamed codec',
  });
}

function frameRateFinding({ frameRate }: VideoFacts): PreflightFinding | undefined {
  const { min, max } = FRAMES_PER_SECOND;
  if (frameRate === null) return undefined;
  if (frameRate >= min * (1 - FRAME_RATE_TOLERANCE) && frameRate <= max * (1 + FRAME_RATE_TOLERANCE)) return undefined;
  return findingOf('INPUT_MEDIA_FRAME_RATE', {
    severity: 'refuse',
    field: 'media.frameRate',
    limit: `${min} to ${max} frames per second`,
    found: String(rounded(frameRate)),
  });
}

function sizeFinding({ displayWidth, displayHeight }: VideoFacts): PreflightFinding | undefined {
  const { min, max } = SIDE_PIXELS;
  const finding = { field: 'media.pictureSize', found: `${displayWidth} x ${displayHeight}` };
  if (![displayWidth, displayHeight].every((side) => side >= min && side <= max)) {
    const limit = `${min} to ${max} pixels in width and height`;
    return findingOf('INPUT_MEDIA_PICTURE_SIZE', { ...finding, severity: 'refuse', limit });
  }
  const widthPerHeight = displayWidth / displayHeight;
  const { min: narrowest, max: widest } = WIDTH_PER_HEIGHT_REPORTED;
  if (widthPerHeight >= narrowest * (1 - SHAPE_TOLERANCE) && widthPerHeight <= widest * (1 + SHAPE_TOLERANCE)) {
    return undefined;
  }
  const advice = 'Other developers report that TikTok rejects such shapes. Crop or pad the video, or try it.';
  return findingOf('INPUT_MEDIA_PICTURE_SIZE', {
    ...finding,
    severity: 'warn',
    limit: 'a shape from 9:16 to 16:9',
    advice,
  });
}

function durationFinding(
  seconds: number | null,
  mode: PublishMode,
  longestKnownSeconds: number,
): PreflightFinding | undefined {
  if (seconds === null) return undefined;
  const finding = { field: 'media.duration', found: countText(rounded(seconds), 'second') };
  if (seconds > MAX_SECONDS + DURATION_TOLERANCE_SECONDS) {
    const limit = `at most ${MAX_SECONDS} seconds`;
    if (mode === 'inbox') return findingOf('INPUT_MEDIA_DURATION', { ...finding, severity: 'refuse', limit });
    if (seconds <= longestKnownSeconds) return undefined;
    const advice =
      'TikTok names 10 minutes for drafts, and the limit of the creator for direct posts. Whether it takes a direct post between the two is not known: try it, or cut the video.';
    return findingOf('INPUT_MEDIA_DURATION', { ...finding, severity: 'warn', limit, advice });
  }
  if (seconds >= MIN_SECONDS_REPORTED) return undefined;
  const advice = 'Other developers report that TikTok rejects such short videos. Make it longer, or try it.';
  const limit = `at least ${MIN_SECONDS_REPORTED} seconds`;
  return findingOf('INPUT_MEDIA_DURATION', { ...finding, severity: 'warn', limit, advice });
}

function unreadFinding({ unread }: MediaFacts): PreflightFinding | undefined {
  if (unread.length === 0) return undefined;
  return {
    code: 'MEDIA_NOT_EXAMINED',
    severity: 'warn',
    field: 'media',
    limit: null,
    found: unread.join('; '),
    advice: 'TikTok may still accept it. Check the file with ffprobe, and encode it again if ffprobe reports errors.',
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
