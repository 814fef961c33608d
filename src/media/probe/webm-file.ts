import type { MediaFacts } from '../../core/media-facts.ts';
import { MEBIBYTE_BYTES } from '../../core/units.ts';
import type { BoundedReader } from './bounded-reader.ts';
import { readWebmElements, type WebmReading } from './webm-elements.ts';

/** How much of the beginning is read, more each time, until enough frames were seen (bytes). */
const HEAD_SIZES = [MEBIBYTE_BYTES / 4, 4 * MEBIBYTE_BYTES, 16 * MEBIBYTE_BYTES];
/** Frames after which the rate is known well enough. */
const RATED_FRAMES = 120;
/** Where a live recording, which does not say how long it is, has its last cluster (bytes). */
const TAIL_BYTES = MEBIBYTE_BYTES;
const CLUSTER_ID = Buffer.from('1f43b675', 'hex');

const CODECS: Readonly<Record<string, string>> = {
  ...{ V_VP8: 'vp8', V_VP9: 'vp9', V_AV1: 'av1', V_THEORA: 'theora', A_OPUS: 'opus', A_VORBIS: 'vorbis' },
  ...{ 'V_MPEG4/ISO/AVC': 'h264', 'V_MPEGH/ISO/HEVC': 'h265' },
};

/**
 * Reads what the beginning of a WebM file tells about it.
 * @throws ProbeLimitError when the budget is used up; PublishError of the source
 */
export async function readWebmFile(reader: BoundedReader): Promise<Partial<MediaFacts>> {
  const reading = await readHead(reader);
  const missingBytes = Math.max(0, (reading.segmentEnd ?? 0) - reader.sizeBytes);
  if (missingBytes > 0) return { missingBytes };
  if (reading.tracks.length === 0) return { unread: ['no tracks were found at the start of the file'] };
  const ofType = (type: 'video' | 'audio') => reading.tracks.filter((track) => track.type === type);
  const [video] = ofType('video');
  const [audio] = ofType('audio');
  return {
    videoTracks: ofType('video').length,
    audioTracks: ofType('audio').length,
    durationSeconds: reading.durationSeconds ?? (await lastTime(reader, reading)),
    video:
      video === undefined
        ? null
        : {
            codec: CODECS[video.codecId] ?? null,
            codecId: video.codecId,
            codedWidth: video.width,
            codedHeight: video.height,
            displayWidth: video.displayWidth,
            displayHeight: video.displayHeight,
            rotation: 0,
            frameRate: frameRate(reading, video.number) ?? video.defaultFrameRate ?? null,
          },
    audio: audio === undefined ? null : { codec: CODECS[audio.codecId] ?? null, codecId: audio.codecId },
  };
}

async function readHead(reader: BoundedReader): Promise<WebmReading> {
  let reading: WebmReading | undefined;
  for (const headBytes of HEAD_SIZES) {
    const end = Math.min(headBytes, reader.sizeBytes);
    reading = readWebmElements(await reader.bytes(0, end));
    const [video] = reading.tracks.filter(({ type }) => type === 'video');
    const isEnough =
      video === undefined
        ? reading.tracks.length > 0
        : reading.blocks.filter(({ track }) => track === video.number).length > RATED_FRAMES;
    if (isEnough || end === reader.sizeBytes) break;
  }
  return reading ?? readWebmElements(Buffer.alloc(0));
}

/** Frames a second among the first ones. */
function frameRate({ blocks }: WebmReading, track: number): number | undefined {
  const times = blocks.filter((block) => block.track === track).map(({ seconds }) => seconds);
  const span = Math.max(...times) - Math.min(...times);
  return times.length < 2 || span <= 0 ? undefined : (times.length - 1) / span;
}

/** The time of the last frame in the last cluster. */
async function lastTime(reader: BoundedReader, { timestampScale }: WebmReading): Promise<number | null> {
  const start = Math.max(0, reader.sizeBytes - TAIL_BYTES);
  const tail = await reader.bytes(start, reader.sizeBytes);
  const cluster = tail.lastIndexOf(CLUSTER_ID);
  if (cluster === -1) return null;
  const { blocks } = readWebmElements(tail.subarray(cluster), timestampScale);
  return blocks.length === 0 ? null : Math.max(...blocks.map(({ seconds }) => seconds));
}
