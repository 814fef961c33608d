import { readFileSync } from 'node:fs';
import { CustomSource, Input, Logging, LogLevel, MP4, QTFF, WEBM } from 'mediabunny';
import { describe, expect, it } from 'vitest';
import { probeMedia } from '../../../../src/media/probe/probe-media.ts';
import { bufferSource } from '../../../support/buffer-source.ts';
import { MEDIA_FIXTURES } from '../../../support/media-fixtures.ts';

/** Files whose container is right and which are all there. */
const readable = MEDIA_FIXTURES.filter(
  ({ refused }) => !refused.some((code) => /CONTAINER|EMPTY|INCOMPLETE|WEB_PAGE/.test(code)),
);
const CODEC_NAMES: Readonly<Record<string, string>> = { avc: 'h264', hevc: 'h265' };

describe('mediabunny', () => {
  it.each(readable)('sees in $name what we see', async ({ path }) => {
    Logging.level = LogLevel.Silent;
    const bytes = readFileSync(path);
    const { facts } = await probeMedia(bufferSource(bytes));
    const source = new CustomSource({ getSize: () => bytes.length, read: (start, end) => bytes.subarray(start, end) });
    const input = new Input({ formats: [MP4, QTFF, WEBM], source });
    const [videos, audios] = [await input.getVideoTracks(), await input.getAudioTracks()];
    expect([facts.videoTracks, facts.audioTracks]).toEqual([videos.length, audios.length]);
    // It adds by how much the first frame is shown late.
    expect(Math.abs((facts.durationSeconds ?? 0) - (await input.computeDuration()))).toBeLessThan(0.2);
    const [video] = videos;
    if (video === undefined) {
      expect(facts.video).toBeNull();
      return;
    }
    const codec = await video.getCodec();
    expect(facts.video).toMatchObject({
      codedWidth: await video.getCodedWidth(),
      codedHeight: await video.getCodedHeight(),
      displayWidth: await video.getDisplayWidth(),
      displayHeight: await video.getDisplayHeight(),
      rotation: await video.getRotation(),
      codecId: await video.getInternalCodecId(),
      ...(codec !== null && { codec: CODEC_NAMES[codec] ?? codec }),
    });
    const { averagePacketRate } = await video.computePacketStats();
    expect(facts.video?.frameRate).toBeCloseTo(averagePacketRate, 1);
  });
});
