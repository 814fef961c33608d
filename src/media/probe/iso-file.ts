import { MEBIBYTE_BYTES } from '../../core/units.ts';
import type { BoundedReader } from './bounded-reader.ts';
import { type BoxHead, MAX_BOX_HEAD_BYTES, readBoxHead } from './iso-boxes.ts';

/** Index of two hours at 60 frames a second, with sound; larger ones are not read (bytes). */
const MAX_INDEX_BYTES = 8 * MEBIBYTE_BYTES;
const MAX_FRAGMENT_BYTES = MEBIBYTE_BYTES;
/** A file of more boxes is made of fragments, each of which costs a read; its first minutes tell enough. */
const MAX_BOXES = 200;

/** Boxes without which a video is not all there. */
const ESSENTIAL_BOXES = ['moov', 'mdat', 'moof'];

/** What a walk along the top level has met so far. */
interface Walk {
  brand: string | null;
  /** Content of `moov`; undefined: not found, or not read. */
  index: Buffer | undefined;
  moovByte: number | undefined;
  mdatByte: number | undefined;
  /** Contents of `moof`, from the first on. */
  fragments: Buffer[];
  missingBytes: number;
  /** Why the walk ended before the end of the file. */
  stoppedFor: string | undefined;
  unread: string[];
}

export interface IsoFile extends Readonly<Pick<Walk, 'brand' | 'index' | 'fragments' | 'missingBytes' | 'unread'>> {
  readonly moov: 'front' | 'end' | 'missing' | null;
  /** Every box was seen, so that the last fragment is the last one. */
  readonly isWhole: boolean;
}

/**
 * Walks along the boxes of the top level, reading their heads and the indexes.
 * @throws ProbeLimitError when the budget is used up; PublishError of the source
 */
export async function readIsoFile(reader: BoundedReader): Promise<IsoFile> {
  const walk: Walk = {
    ...{ brand: null, index: undefined, moovByte: undefined, mdatByte: undefined },
    ...{ fragments: [], missingBytes: 0, stoppedFor: undefined, unread: [] },
  };
  await walkBoxes(reader, walk);
  const isWhole = walk.stoppedFor === undefined;
  const { stoppedFor, unread } = walk;
  return {
    ...walk,
    ...{ moov: moovPlace(walk, isWhole), isWhole },
    unread: stoppedFor === undefined ? unread : [...unread, stoppedFor],
  };
}

function moovPlace({ moovByte, mdatByte, missingBytes }: Walk, isWhole: boolean): IsoFile['moov'] {
  if (moovByte !== undefined) return mdatByte === undefined || moovByte < mdatByte ? 'front' : 'end';
  return isWhole && missingBytes === 0 ? 'missing' : null;
}

async function walkBoxes(reader: BoundedReader, walk: Walk): Promise<void> {
  const { sizeBytes } = reader;
  let at = 0;
  for (let count = 0; at < sizeBytes; count++) {
    // An index that was found tells all but the length of a file of fragments.
    if (count === MAX_BOXES) {
      if (walk.index === undefined) walk.stoppedFor = `no index in its first ${MAX_BOXES} boxes`;
      return;
    }
    const head = readBoxHead(await reader.bytes(at, Math.min(at + MAX_BOX_HEAD_BYTES, sizeBytes)));
    if (head === undefined) {
      // Players skip what follows the last box.
      if (walk.index === undefined) walk.stoppedFor = `no valid ISO box at byte ${at}`;
      return;
    }
    const end = head.sizeBytes === undefined ? sizeBytes : at + head.sizeBytes;
    if (end > sizeBytes) {
      if (ESSENTIAL_BOXES.includes(head.type)) walk.missingBytes = end - sizeBytes;
      else walk.stoppedFor = `the box ${head.type} at byte ${at} ends beyond the file`;
      return;
    }
    await visitBox(reader, walk, head, at, end);
    at = end;
  }
}

async function visitBox(reader: BoundedReader, walk: Walk, head: BoxHead, at: number, end: number): Promise<void> {
  const start = at + head.headBytes;
  if (head.type === 'ftyp' && start + 4 <= end) {
    walk.brand ??= (await reader.bytes(start, start + 4)).toString('latin1');
  } else if (head.type === 'mdat') {
    walk.mdatByte ??= at;
  } else if (head.type === 'moov' && walk.moovByte === undefined) {
    walk.moovByte = at;
    if (end - start > MAX_INDEX_BYTES) walk.unread.push(`its index is larger than ${MAX_INDEX_BYTES} bytes`);
    else walk.index = end > start ? await reader.bytes(start, end) : Buffer.alloc(0);
  } else if (head.type === 'moof' && end > start && end - start <= MAX_FRAGMENT_BYTES) {
    walk.fragments.push(Buffer.from(await reader.bytes(start, end)));
  }
}
