import { type EbmlElement, readElement, readVint } from '../container-type.ts';

/** A track of a WebM file (RFC 9559, 5.1.4). */
interface WebmTrack {
  readonly number: number;
  readonly type: 'video' | 'audio' | 'other';
  readonly codecId: string;
  readonly width: number;
  readonly height: number;
  readonly displayWidth: number;
  readonly displayHeight: number;
  /** What the track says of itself; undefined: nothing. */
  readonly defaultFrameRate: number | undefined;
}

/** When a block of a track is shown. */
interface WebmBlock {
  readonly track: number;
  readonly seconds: number;
}

/** What a stretch of a WebM file holds. */
export interface WebmReading {
  /** First byte after the segment, as it announces itself. */
  readonly segmentEnd: number | undefined;
  readonly durationSeconds: number | undefined;
  /** Nanoseconds of a tick. */
  readonly timestampScale: number;
  readonly tracks: readonly WebmTrack[];
  /** In the order of the file; frames that are never shown are left out. */
  readonly blocks: readonly WebmBlock[];
}

const ID = {
  ...{ segment: 0x18538067, info: 0x1549a966, timestampScale: 0x2ad7b1, duration: 0x4489 },
  ...{ tracks: 0x1654ae6b, trackEntry: 0xae, number: 0xd7, type: 0x83, codec: 0x86, defaultDuration: 0x23e383 },
  ...{ video: 0xe0, width: 0xb0, height: 0xba, displayWidth: 0x54b0, displayHeight: 0x54ba, displayUnit: 0x54b2 },
  ...{ cluster: 0x1f43b675, timestamp: 0xe7, simpleBlock: 0xa3, blockGroup: 0xa0, block: 0xa1 },
} as const;
/** Elements whose content is walked like the elements around them, so that it matters not where they end. */
const ENTERED: readonly number[] = [ID.segment, ID.info, ID.tracks, ID.cluster, ID.blockGroup];
/** More elements than any beginning has whose frames are worth counting. */
const MAX_ELEMENTS = 20_000;
const DEFAULT_TIMESTAMP_SCALE = 1_000_000;
const NANOSECONDS = 1_000_000_000;
const INVISIBLE_FLAG = 0x08;

/** Reads the elements in a stretch of a file that begins with one. Each step goes forward. */
export function readWebmElements(bytes: Buffer, timestampScale = DEFAULT_TIMESTAMP_SCALE): WebmReading {
  const tracks: WebmTrack[] = [];
  const blocks: { track: number; ticks: number }[] = [];
  let [segmentEnd, durationTicks]: (number | undefined)[] = [];
  let scale = timestampScale;
  let clusterTicks = 0;
  for (const { id, start, end } of walk(bytes)) {
    const content = bytes.subarray(start, end);
    if (id === ID.segment) segmentEnd ??= end;
    else if (id === ID.timestampScale) scale = unsigned(content) || DEFAULT_TIMESTAMP_SCALE;
    else if (id === ID.duration) durationTicks ??= float(content);
    else if (id === ID.trackEntry) tracks.push(readTrack(content));
    else if (id === ID.timestamp) clusterTicks = unsigned(content);
    else if (id === ID.simpleBlock || id === ID.block) {
      const block = readBlock(content);
      if (block !== undefined) blocks.push({ track: block.track, ticks: clusterTicks + block.ticks });
    }
  }
  return {
    segmentEnd,
    durationSeconds:
      durationTicks === undefined || durationTicks <= 0 ? undefined : (durationTicks * scale) / NANOSECONDS,
    timestampScale: scale,
    tracks,
    blocks: blocks.map(({ track, ticks }) => ({ track, seconds: (ticks * scale) / NANOSECONDS })),
  };
}

function* walk(bytes: Buffer): Generator<EbmlElement, void, void> {
  let at = 0;
  for (let count = 0; at < bytes.length && count < MAX_ELEMENTS; count++) {
    const element = readElement(bytes, at);
    if (element === undefined) return;
    yield element;
    if (ENTERED.includes(element.id)) at = element.start;
    else if (element.end === undefined) return;
    else at = element.end;
  }
}

function readTrack(bytes: Buffer): WebmTrack {
  const fields = new Map<number, Buffer>();
  for (const element of walk(bytes)) {
    fields.set(element.id, bytes.subarray(element.start, element.end));
    if (element.id !== ID.video) continue;
    const video = bytes.subarray(element.start, element.end);
    for (const { id, start, end } of walk(video)) fields.set(id, video.subarray(start, end));
  }
  const number = (id: number) => unsigned(fields.get(id) ?? Buffer.alloc(0));
  const [width, height, frameNanoseconds] = [number(ID.width), number(ID.height), number(ID.defaultDuration)];
  // Other units than pixels are proportions only.
  const inPixels = number(ID.displayUnit) === 0;
  return {
    number: number(ID.number),
    type: number(ID.type) === 1 ? 'video' : number(ID.type) === 2 ? 'audio' : 'other',
    codecId: (fields.get(ID.codec) ?? Buffer.alloc(0)).toString('latin1', 0, 40).replace(/[^\x20-\x7e]/g, ''),
    width,
    height,
    displayWidth: (inPixels && number(ID.displayWidth)) || width,
    displayHeight: (inPixels && number(ID.displayHeight)) || height,
    defaultFrameRate: frameNanoseconds === 0 ? undefined : NANOSECONDS / frameNanoseconds,
  };
}

/** Head of a block: track number, 16-bit time within its cluster, flags (RFC 9559, 10.1). */
function readBlock(bytes: Buffer): { track: number; ticks: number } | undefined {
  const track = readVint(bytes, 0, false);
  if (track === undefined || track.next + 3 > bytes.length) return undefined;
  if (((bytes[track.next + 2] ?? 0) & INVISIBLE_FLAG) !== 0) return undefined;
  return { track: track.value, ticks: bytes.readInt16BE(track.next) };
}

function unsigned(bytes: Buffer): number {
  let value = 0;
  for (const byte of bytes.subarray(0, 8)) value = value * 256 + byte;
  return value;
}

function float(bytes: Buffer): number | undefined {
  if (bytes.length === 4) return bytes.readFloatBE(0);
  return bytes.length === 8 ? bytes.readDoubleBE(0) : undefined;
}
