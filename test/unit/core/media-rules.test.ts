import { describe, expect, it } from 'vitest';
import type { MediaFacts, VideoFacts } from '../../../src/core/media-facts.ts';
import { checkMediaRules } from '../../../src/core/media-rules.ts';
import type { PublishMode } from '../../../src/core/new-request.ts';
import { findingText } from '../../../src/core/preflight-finding.ts';

const VIDEO: VideoFacts = {
  codec: 'h264',
  codecId: 'avc1',
  displayWidth: 1_080,
  displayHeight: 1_920,
  codedWidth: 1_080,
  codedHeight: 1_920,
  rotation: 0,
  frameRate: 30,
};
const FACTS: MediaFacts = {
  container: 'mp4',
  brand: 'isom',
  sizeBytes: 1_000_000,
  durationSeconds: 30,
  videoTracks: 1,
  audioTracks: 1,
  video: VIDEO,
  audio: { codec: 'aac', codecId: 'mp4a' },
  moov: 'end',
  fragmented: false,
  missingBytes: 0,
  unread: [],
};

const verdicts = (facts: Partial<MediaFacts>, mode: PublishMode = 'direct') =>
  checkMediaRules({ ...FACTS, ...facts }, mode).map(({ severity, code }) => `${severity} ${code}`);
const ofVideo = (video: Partial<VideoFacts>) => verdicts({ video: { ...VIDEO, ...video } });

describe('the rules of videos', () => {
  it('find nothing in a video as TikTok recommends it, wherever its index lies', () => {
    expect(verdicts({})).toEqual([]);
    expect(verdicts({ moov: 'front', audio: null, audioTracks: 0 })).toEqual([]);
  });

  it.each([
    [22.7, false],
    [22.8, true],
    [23, true],
    [23.976, true],
    [60, true],
    [60.02, true],
    [60.6, true],
    [61, false],
    [null, true],
  ])('at %s frames a second: %s', (frameRate, passes) => {
    expect(ofVideo({ frameRate })).toEqual(passes ? [] : ['refuse INPUT_MEDIA_FRAME_RATE']);
  });

  it.each([
    [359, 359, false],
    [360, 360, true],
    [4_096, 4_096, true],
    [4_097, 4_096, false],
    [1_080, 359, false],
  ])('at %s x %s pixels: %s', (displayWidth, displayHeight, passes) => {
    expect(ofVideo({ displayWidth, displayHeight })).toEqual(passes ? [] : ['refuse INPUT_MEDIA_PICTURE_SIZE']);
  });

  it.each([
    [0.5, ['warn INPUT_MEDIA_DURATION']],
    [2.99, ['warn INPUT_MEDIA_DURATION']],
    [3, []],
    [600, []],
    [600.4, []],
    [600.6, ['refuse INPUT_MEDIA_DURATION']],
    [null, []],
  ])('F1: at %s seconds as a draft: %j', (durationSeconds, expected) => {
    expect(verdicts({ durationSeconds }, 'inbox')).toEqual(expected);
  });

  it('F1: only warn of a direct post above ten minutes, since its creator has a limit of their own', () => {
    for (const durationSeconds of [600.6, 3_600]) {
      expect(verdicts({ durationSeconds }, 'direct')).toEqual(['warn INPUT_MEDIA_DURATION']);
    }
    expect(verdicts({ durationSeconds: 600.4 }, 'direct')).toEqual([]);
  });

  it.each([
    [1_080, 1_920, []],
    [406, 720, []],
    [720, 1_280, []],
    [1_920, 1_080, []],
    [500, 500, []],
    [500, 1_000, ['warn INPUT_MEDIA_PICTURE_SIZE']],
    [2_400, 1_000, ['warn INPUT_MEDIA_PICTURE_SIZE']],
  ])('F15: at a shape of %s x %s: %j', (displayWidth, displayHeight, expected) => {
    expect(ofVideo({ displayWidth, displayHeight })).toEqual(expected);
  });

  it.each([
    ['h265', 'hvc1', []],
    ['vp8', 'V_VP8', []],
    ['vp9', 'vp09', []],
    ['av1', 'av01', ['refuse INPUT_MEDIA_CODEC']],
    [null, 'mp4v', ['refuse INPUT_MEDIA_CODEC']],
    // Dolby Vision is H.265 under another name, and TikTok's pages don't say.
    [null, 'dvh1', ['warn INPUT_MEDIA_CODEC']],
    [null, null, ['warn INPUT_MEDIA_CODEC']],
  ])('with the codec %s as %s: %j', (codec, codecId, expected) => {
    expect(ofVideo({ codec, codecId })).toEqual(expected);
  });

  it('refuse sound alone', () => {
    expect(verdicts({ video: null, videoTracks: 0 })).toEqual(['refuse INPUT_MEDIA_NO_VIDEO']);
  });

  it('refuse half a file for that alone', () => {
    expect(verdicts({ missingBytes: 7, video: { ...VIDEO, frameRate: 12 } })).toEqual([
      'refuse INPUT_MEDIA_INCOMPLETE',
    ]);
    expect(verdicts({ moov: 'missing', video: null, videoTracks: 0 })).toEqual(['refuse INPUT_MEDIA_INCOMPLETE']);
  });

  it('only warn of what could not be read', () => {
    const unread = ['its index is compressed'];
    expect(verdicts({ unread, video: null, videoTracks: 0, audioTracks: 0 })).toEqual(['warn MEDIA_NOT_EXAMINED']);
  });

  it('name every limit, what was found and what to do', () => {
    const video = { ...VIDEO, frameRate: 12.345 };
    const findings = checkMediaRules({ ...FACTS, durationSeconds: 700, video }, 'inbox');
    expect(findings.map(findingText)).toEqual([
      'expected 23 to 60 frames per second, got 12.35',
      'expected at most 600 seconds, got 700 seconds',
    ]);
    for (const { advice, field } of findings) {
      expect(advice).toMatch(/\.$/);
      expect(field).toMatch(/^media\./);
    }
  });
});
