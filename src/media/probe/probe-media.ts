import { startDeadline } from '../../core/deadline.ts';
import type { MediaFacts } from '../../core/media-facts.ts';
import type { MediaSource, VideoType } from '../../core/ports.ts';
import { MEBIBYTE_BYTES, SECOND_MS } from '../../core/units.ts';
import { BoundedReader, ProbeLimitError, type ProbeLimits } from './bounded-reader.ts';
import { type IsoFile, readIsoFile } from './iso-file.ts';
import { type Frames, framesInFragment, type IsoIndex, type IsoTrack, readIsoIndex } from './iso-tracks.ts';
import { readWebmFile } from './webm-file.ts';

/** The most that a probe reads, and the longest that it takes; what is not known by then stays unknown. @internal */
export const PROBE_LIMITS: ProbeLimits = { maxBytes: 32 * MEBIBYTE_BYTES, maxMs: 15 * SECOND_MS };

const CONTAINERS = { 'video/mp4': 'mp4', 'video/quicktime': 'mov', 'video/webm': 'webm' } as const;
const AUDIO_CODECS: Readonly<Record<string, string>> = {
  mp4a: 'aac',
  Opus: 'opus',
  sowt: 'pcm',
  twos: 'pcm',
  alac: 'alac',
};
const NOTHING_KNOWN = {
  ...{ brand: null, durationSeconds: null, videoTracks: 0, audioTracks: 0, video: null, audio: null },
  ...{ moov: null, fragmented: null, missingBytes: 0, unread: [] },
} as const satisfies Partial<MediaFacts>;

function isVideo(contentType: MediaSource['contentType']): contentType is VideoType {
  return contentType in CONTAINERS;
}

/**
 * Finds out what a video's bytes tell about it, reading ranges only. What it can't understand it says in `unread`.
 * @throws PublishError of the source, such as `INPUT_MEDIA_CHANGED`, or the signal's reason
 */
export async function probeMedia(
  source: Pick<MediaSource, 'pin' | 'contentType' | 'read'>,
  { signal, limits = PROBE_LIMITS }: { signal?: AbortSignal | undefined; limits?: ProbeLimits } = {},
): Promise<{ readonly facts: MediaFacts }> {
  const deadline = startDeadline({
    withinMs: limits.maxMs,
    signal,
    reason: () => new ProbeLimitError(`it took longer than ${limits.maxMs / SECOND_MS} seconds`),
  });
  const reader = new BoundedReader(source, limits, deadline.signal);
  const { contentType } = source;
  if (!isVideo(contentType)) throw new RangeError(`expected a video, got ${contentType}`);
  const container = CONTAINERS[contentType];
  const known = { ...NOTHING_KNOWN, container, sizeBytes: reader.sizeBytes };
  const facts = await (container === 'webm' ? readWebmFile(reader) : readIso(reader))
    .catch((error: unknown): Partial<MediaFacts> => ({ unread: [reasonOf(error)] }))
    .finally(deadline.stop);
  signal?.throwIfAborted();
  // It says nothing of the video, whatever a library made of it.
  if (reader.sourceError !== undefined) throw reader.sourceError;
  return { facts: { ...known, ...facts } };
}

function reasonOf(error: unknown): string {
  return error instanceof ProbeLimitError ? error.message : 'its structure could not be parsed';
}

async function readIso(reader: BoundedReader): Promise<Partial<MediaFacts>> {
  const file = await readIsoFile(reader);
  const { brand, moov, missingBytes, unread } = file;
  const known = { brand, moov, missingBytes, unread };
  if (file.index === undefined) return known;
  const index = readIsoIndex(file.index);
  if (index.isCompressed) return { ...known, unread: [...unread, 'its index is compressed'] };
  const videos = index.tracks.filter(({ handler }) => handler === 'vide');
  const audios = index.tracks.filter(({ handler }) => handler === 'soun');
  // A picture for the cover may be a track too.
  const main = videos.find(({ picture }) => picture?.codec != null && picture.codec !== 'mjpeg') ?? videos[0];
  const audioId = audios[0]?.codecId;
  return {
    ...known,
    fragmented: index.announcesFragments || file.fragments.length > 0,
    durationSeconds: index.durationSeconds ?? longestTrack(index) ?? lengthOfFragments(file, main),
    videoTracks: videos.length,
    audioTracks: audios.length,
    audio: audioId == null ? null : { codec: AUDIO_CODECS[audioId] ?? null, codecId: audioId },
    video:
      main?.picture == null ? null : { ...main.picture, codecId: main.codecId, frameRate: frameRateOf(main, file) },
    unread: main !== undefined && main.picture === null ? [...unread, 'its video track has no codec name'] : unread,
  };
}

/** Frames a second over all frames that the index or the fragments name. */
function frameRateOf(track: IsoTrack, { fragments }: IsoFile): number | null {
  const inFragments = fragments.map((fragment) => framesInFragment(fragment, track));
  const { count, ticks } = [track.frames, ...inFragments].reduce(sum);
  return count < 2 || ticks === 0 || track.timescale === 0 ? null : (count * track.timescale) / ticks;
}

function sum(a: Frames, b: Frames): Frames {
  return { count: a.count + b.count, ticks: a.ticks + b.ticks };
}

function longestTrack({ tracks }: IsoIndex): number | null {
  const seconds = tracks.map(({ frames, timescale }) => (timescale === 0 ? 0 : frames.ticks / timescale));
  return Math.max(0, ...seconds) || null;
}

/** Where the last fragment ends, if every fragment was seen. */
function lengthOfFragments({ fragments, isWhole }: IsoFile, track: IsoTrack | undefined): number | null {
  if (!isWhole || track === undefined || track.timescale === 0) return null;
  const ends = fragments.map((fragment) => {
    const { beginsAt = 0, ticks } = framesInFragment(fragment, track);
    return beginsAt + ticks;
  });
  return Math.max(0, ...ends) / track.timescale || null;
}
