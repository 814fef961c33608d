import { type Box, boxesIn, findBox } from './iso-boxes.ts';

/** A track as the index describes it (ISO/IEC 14496-12, clause 8). */
export interface IsoTrack {
  readonly id: number;
  /** `vide`, `soun` and others. */
  readonly handler: string;
  /** Ticks a second. */
  readonly timescale: number;
  readonly frames: Frames;
  /** Length of a frame in fragments that don't say (ticks). */
  readonly defaultTicks: number;
  /** FourCC of the first sample entry. */
  readonly codecId: string | null;
  /** Of a video track. */
  readonly picture: Picture | null;
}

/** What a video track's sample entry and head say of its picture. */
interface Picture {
  /** Null: a codec that is not known here. */
  readonly codec: string | null;
  readonly codedWidth: number;
  readonly codedHeight: number;
  readonly displayWidth: number;
  readonly displayHeight: number;
  /** Degrees clockwise. */
  readonly rotation: number;
}

/** A number of frames and how long they last together (ticks of their track). */
export interface Frames {
  readonly count: number;
  readonly ticks: number;
}

export interface IsoIndex {
  readonly tracks: readonly IsoTrack[];
  /** By the movie's own head, with its edits; undefined: it does not say. */
  readonly durationSeconds: number | undefined;
  readonly announcesFragments: boolean;
  /** Compressed, as QuickTime once did: its tracks can't be seen. */
  readonly isCompressed: boolean;
}

/** Sample entries by FourCC (mp4ra.org, "Codecs"; QuickTime File Format, "Video sample description"). */
const CODECS: Readonly<Record<string, string>> = {
  ...{ avc1: 'h264', avc3: 'h264', hvc1: 'h265', hev1: 'h265', vp08: 'vp8', vp09: 'vp9', av01: 'av1' },
  ...{ apco: 'prores', apcs: 'prores', apcn: 'prores', apch: 'prores', ap4h: 'prores', ap4x: 'prores' },
  ...{ jpeg: 'mjpeg', mjpa: 'mjpeg', mjpb: 'mjpeg', s263: 'h263', h263: 'h263' },
};
/** What `mp4v` stands for, by the object type in its `esds` (mp4ra.org, "Object types"). */
const OBJECT_TYPES: Readonly<Record<number, string>> = {
  32: 'mpeg4',
  ...{ 96: 'mpeg2', 97: 'mpeg2', 98: 'mpeg2', 99: 'mpeg2', 100: 'mpeg2', 101: 'mpeg2', 106: 'mpeg1' },
};
/** Fixed fields of a visual sample entry, after which boxes follow (ISO/IEC 14496-12, 12.1.3). */
const ENTRY_FIELDS_BYTES = 78;

const NO_FRAMES: Frames = { count: 0, ticks: 0 };

/**
 * Reads the content of `moov`. Its work grows with its bytes, not with the numbers in them.
 * @throws RangeError when a box is shorter than its fields
 */
export function readIsoIndex(moov: Buffer): IsoIndex {
  const whole = { start: 0, end: moov.length };
  const extends_ = findBox(moov, whole, 'mvex');
  const defaults = new Map<number, number>();
  for (const box of extends_ === undefined ? [] : boxesIn(moov, extends_.start, extends_.end)) {
    if (box.type === 'trex') defaults.set(moov.readUInt32BE(box.start + 4), moov.readUInt32BE(box.start + 12));
  }
  const tracks: IsoTrack[] = [];
  for (const box of boxesIn(moov, 0, moov.length)) {
    const track = box.type === 'trak' ? readTrack(moov, box, defaults) : undefined;
    if (track !== undefined) tracks.push(track);
  }
  return {
    tracks,
    durationSeconds: movieSeconds(moov, findBox(moov, whole, 'mvhd'), extends_),
    announcesFragments: extends_ !== undefined,
    isCompressed: findBox(moov, whole, 'cmov') !== undefined,
  };
}

/** A fragmented movie says in `mehd`, if at all, how long it is. */
function movieSeconds(moov: Buffer, head: Box | undefined, extends_: Box | undefined): number | undefined {
  if (head === undefined) return undefined;
  const { timescale, duration } = readClock(moov, head);
  const whole = extends_ === undefined ? undefined : findBox(moov, extends_, 'mehd');
  const total = duration > 0 || whole === undefined ? duration : readTime(moov, whole);
  return total > 0 && timescale > 0 ? total / timescale : undefined;
}

function readTrack(moov: Buffer, trak: Box, defaults: ReadonlyMap<number, number>): IsoTrack | undefined {
  const head = findBox(moov, trak, 'tkhd');
  const mediaHead = findBox(moov, trak, 'mdia', 'mdhd');
  const handler = findBox(moov, trak, 'mdia', 'hdlr');
  if (head === undefined || mediaHead === undefined || handler === undefined) return undefined;
  const id = moov.readUInt32BE(head.start + (moov[head.start] === 1 ? 20 : 12));
  const table = findBox(moov, trak, 'mdia', 'minf', 'stbl');
  const times = table && findBox(moov, table, 'stts');
  const entries = table && findBox(moov, table, 'stsd');
  // Version, flags and number of entries come first.
  const [entry] = entries === undefined ? [] : boxesIn(moov, entries.start + 8, entries.end);
  const kind = moov.toString('latin1', handler.start + 8, handler.start + 12);
  return {
    id,
    handler: kind,
    codecId: entry?.type ?? null,
    picture: kind === 'vide' && entry !== undefined ? readPicture(moov, entry, head) : null,
    timescale: readClock(moov, mediaHead).timescale,
    frames: times === undefined ? NO_FRAMES : sumTimes(moov, times),
    defaultTicks: defaults.get(id) ?? 0,
  };
}

/** Timescale and duration as `mvhd` and `mdhd` hold them. */
function readClock(moov: Buffer, { start }: Box): { timescale: number; duration: number } {
  return moov[start] === 1
    ? { timescale: moov.readUInt32BE(start + 20), duration: Number(moov.readBigUInt64BE(start + 24)) }
    : { timescale: moov.readUInt32BE(start + 12), duration: moov.readUInt32BE(start + 16) };
}

/** Adds `stts` up: runs of frames of the same length. */
function sumTimes(moov: Buffer, { start, end }: Box): Frames {
  const runs = Math.min(moov.readUInt32BE(start + 4), Math.floor((end - start - 8) / 8));
  let [count, ticks] = [0, 0];
  for (let at = start + 8; at < start + 8 + runs * 8; at += 8) {
    const frames = moov.readUInt32BE(at);
    count += frames;
    ticks += frames * moov.readUInt32BE(at + 4);
  }
  return { count, ticks };
}

/**
 * Adds up a track's frames in the content of a `moof`.
 * @returns with the time at which they begin (ticks), if the fragment says
 * @throws RangeError when a box is shorter than its fields
 */
export function framesInFragment(moof: Buffer, track: IsoTrack): Frames & { readonly beginsAt: number | undefined } {
  let [count, ticks] = [0, 0];
  let beginsAt: number | undefined;
  for (const traf of boxesIn(moof, 0, moof.length)) {
    const head = traf.type === 'traf' ? findBox(moof, traf, 'tfhd') : undefined;
    if (head === undefined || moof.readUInt32BE(head.start + 4) !== track.id) continue;
    const time = findBox(moof, traf, 'tfdt');
    if (time !== undefined) beginsAt ??= readTime(moof, time);
    const frameTicks = defaultTicksOf(moof, head) ?? track.defaultTicks;
    for (const run of boxesIn(moof, traf.start, traf.end)) {
      if (run.type !== 'trun') continue;
      const frames = sumRun(moof, run, frameTicks);
      count += frames.count;
      ticks += frames.ticks;
    }
  }
  return { count, ticks, beginsAt };
}

/** The one time that `tfdt` and `mehd` hold. */
function readTime(bytes: Buffer, { start }: Box): number {
  return bytes[start] === 1 ? Number(bytes.readBigUInt64BE(start + 4)) : bytes.readUInt32BE(start + 4);
}

/** `default_sample_duration` of `tfhd`, if it is there. */
function defaultTicksOf(moof: Buffer, { start }: Box): number | undefined {
  const flags = moof.readUIntBE(start + 1, 3);
  if ((flags & 0x8) === 0) return undefined;
  return moof.readUInt32BE(start + 8 + ((flags & 0x1) === 0 ? 0 : 8) + ((flags & 0x2) === 0 ? 0 : 4));
}

function sumRun(moof: Buffer, { start, end }: Box, frameTicks: number): Frames {
  const flags = moof.readUIntBE(start + 1, 3);
  const announced = moof.readUInt32BE(start + 4);
  const firstFrame = start + 8 + ((flags & 0x1) === 0 ? 0 : 4) + ((flags & 0x4) === 0 ? 0 : 4);
  const fieldsPerFrame = [0x100, 0x200, 0x400, 0x800].filter((flag) => (flags & flag) !== 0).length;
  if (fieldsPerFrame === 0) return { count: announced, ticks: announced * frameTicks };
  const count = Math.min(announced, Math.max(0, Math.floor((end - firstFrame) / (fieldsPerFrame * 4))));
  if ((flags & 0x100) === 0) return { count, ticks: count * frameTicks };
  let ticks = 0;
  for (let i = 0; i < count; i++) ticks += moof.readUInt32BE(firstFrame + i * fieldsPerFrame * 4);
  return { count, ticks };
}

/**
 * Reads the picture of a video track.
 * @throws RangeError when a box is shorter than its fields
 */
function readPicture(moov: Buffer, entry: Box, trackHead: Box): Picture {
  const codedWidth = moov.readUInt16BE(entry.start + 24);
  const codedHeight = moov.readUInt16BE(entry.start + 26);
  const extensions = { start: entry.start + ENTRY_FIELDS_BYTES, end: entry.end };
  const pixel = findBox(moov, extensions, 'pasp');
  const [across, down] =
    pixel === undefined ? [1, 1] : [moov.readUInt32BE(pixel.start), moov.readUInt32BE(pixel.start + 4)];
  const shownWidth = across > 0 && down > 0 ? Math.round((codedWidth * across) / down) : codedWidth;
  const rotation = rotationOf(moov, trackHead);
  const isUpright = rotation % 180 === 0;
  return {
    codec: entry.type === 'mp4v' ? objectCodec(moov, findBox(moov, extensions, 'esds')) : (CODECS[entry.type] ?? null),
    codedWidth,
    codedHeight,
    displayWidth: isUpright ? shownWidth : codedHeight,
    displayHeight: isUpright ? codedHeight : shownWidth,
    rotation,
  };
}

/** The matrix of `tkhd`, whose first two numbers are cosine and sine of the angle. */
function rotationOf(moov: Buffer, { start }: Box): number {
  const matrix = start + (moov[start] === 1 ? 52 : 40);
  const quarters = Math.round((Math.atan2(moov.readInt32BE(matrix + 4), moov.readInt32BE(matrix)) * 2) / Math.PI);
  return ((quarters + 4) % 4) * 90;
}

/** Codec of an elementary stream descriptor (ISO/IEC 14496-1, 7.2.6.5 and 7.2.6.6). */
function objectCodec(moov: Buffer, esds: Box | undefined): string | null {
  if (esds === undefined) return null;
  // ES_Descriptor without options, and the first byte of the DecoderConfigDescriptor within it.
  const stream = contentOfDescriptor(moov, esds.start + 4);
  const decoder = contentOfDescriptor(moov, stream + 3);
  return OBJECT_TYPES[moov[decoder] ?? 0] ?? null;
}

/** Where the content of a descriptor begins: after its tag and a size of one to four bytes. */
function contentOfDescriptor(moov: Buffer, at: number): number {
  let end = at + 1;
  while (end < at + 4 && ((moov[end] ?? 0) & 0x80) !== 0) end += 1;
  return end + 1;
}
