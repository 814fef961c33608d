import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath, stat } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { MediaKind, MediaSource, SourcePin } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { MINUTE_MS } from '../core/units.ts';
import { CONTAINER_PROBE_BYTES } from './container-type.ts';
import { explained, isNoSuchFile, toFileError } from './file-error.ts';
import { type RefuseOutside, resolveMediaRoots } from './media-roots.ts';
import { createReadAhead } from './read-ahead.ts';
import { contentTypeOf, refuseRange, refuseSize } from './source-checks.ts';

/** A file that did not change for this time (ms) is complete. */
const QUIET_MS = 100;
/** Holes in a file that did not change for this time (ms) are meant to be there. */
const FILL_MS = MINUTE_MS;
/** POSIX counts `st_blocks` in units of 512 bytes on the systems that we know, whatever the block size of the disk. */
const BLOCK_BYTES = 512;
/** A small file may lie within its inode, and the last block may be cut: this much (bytes) may be missing. */
const SLACK_BYTES = 65_536;

export interface FileSourceOptions {
  /** Folders the file must live under, links resolved; without them any readable path will do. */
  readonly roots?: readonly string[] | undefined;
  /** By default a video. */
  readonly kind?: MediaKind | undefined;
}

/**
 * Opens a local video or photo and checks all that can be told without decoding it. It keeps one file handle and, once read from,
 * up to two buffers of 2 MiB; one reader at a time.
 *
 * @throws PublishError `INPUT_MEDIA_NOT_FOUND`, `INPUT_MEDIA_NOT_READABLE`, `INPUT_MEDIA_NOT_A_FILE`, `INPUT_MEDIA_EMPTY`,
 * `INPUT_MEDIA_TOO_LARGE`, `INPUT_MEDIA_CONTAINER_UNSUPPORTED`, `INPUT_PHOTO_UNSUPPORTED`, `INPUT_MEDIA_OUTSIDE_ROOTS`, `INPUT_MEDIA_BEING_WRITTEN`,
 * `TRANSPORT_MEDIA_DISK`, each naming the path
 */
export async function openFileSource(path: string, options: FileSourceOptions = {}): Promise<MediaSource> {
  const refuseOutside = await resolveMediaRoots(options.roots);
  return await openFound(await findOnDisk(path, refuseOutside), options, refuseOutside);
}

/** A path as its disk spells it, and where it leads. */
interface FoundPath {
  readonly path: string;
  readonly realPath: string;
}

/**
 * Finds a path however its disk spells it: Macs write "é" as "e" and an accent (NFD), most others as one character (NFC),
 * and to Linux these are different names. Where none is there, the error tells of the path as it was given.
 */
async function findOnDisk(path: string, refuseOutside: RefuseOutside): Promise<FoundPath> {
  const { dir, base } = parse(path);
  const others = ['NFC', 'NFD'].flatMap((form) => [path.normalize(form), join(dir, base.normalize(form))]);
  for (const spelling of new Set([path, ...others])) {
    try {
      refuseOutside(spelling);
      return { path: spelling, realPath: await realpath(spelling) };
    } catch {
      // Told of the path as it was given, below.
    }
  }
  refuseOutside(path);
  return { path, realPath: await explained(path, () => realpath(path)) };
}

async function openFound(
  { path, realPath }: FoundPath,
  options: FileSourceOptions,
  refuseOutside: RefuseOutside,
): Promise<MediaSource> {
  refuseOutside(realPath, path);
  // Looked at before it is opened: opening alone can block (pipes) or do something (devices).
  refuseNonFile(path, await explained(path, () => stat(realPath, { bigint: true })));
  const handle = await explained(path, () => open(realPath, OPEN_FLAGS));
  const { kind = 'video' } = options;
  try {
    if (options.roots !== undefined) await refuseSwapped(handle, (opened) => refuseOutside(opened, path));
    const stats = await explained(path, () => handle.stat({ bigint: true }));
    refuseNonFile(path, stats);
    refuseSize(path, Number(stats.size), kind);
    await refuseUnfinished(path, handle, stats);
    const contentType = await detectContentType(handle, path, kind);
    return createSource({ path, handle, stats, contentType });
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Should the file be swapped after it was looked at: don't wait for a pipe's writer, don't follow a new link. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/** A folder may become a link after its path was checked. Linux tells where what is open really lies. */
async function refuseSwapped(handle: FileHandle, refuseOutside: RefuseOutside): Promise<void> {
  const openedPath = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => undefined);
  if (openedPath !== undefined) refuseOutside(openedPath);
}

interface OpenedFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
  readonly contentType: MediaSource['contentType'];
}

function createSource({ path, handle, stats, contentType }: OpenedFile): MediaSource {
  const pin = toPin(stats);
  const remark = remarkOnHoles(stats);
  const { read, release } = createReadAhead(handle, path, pin.sizeBytes);
  let closing: Promise<void> | undefined;
  return {
    pin,
    contentType,
    ...(remark !== undefined && { remarks: [remark] }),
    read: (startByte, endByteExclusive) => {
      refuseRange(pin, startByte, endByteExclusive);
      return read(startByte, endByteExclusive);
    },
    verifyUnchanged: async () => {
      // The name may lead to another file by now. If it leads to the same one, this tells of the open file too: no other
      // can have its number while the handle holds it.
      refuseChange(path, stats, await statIfThere(path));
    },
    close: () => {
      closing ??= handle.close().then(release);
      return closing;
    },
  };
}

async function statIfThere(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (isNoSuchFile(error)) return undefined;
    throw toFileError(error, path);
  }
}

/** The device is left out: its number may differ after a restart or on another worker, though the file is the same. */
function toPin(stats: BigIntStats): SourcePin {
  return { sizeBytes: Number(stats.size), version: `${stats.mtimeNs}-${stats.ino}` };
}

function refuseChange(path: string, before: BigIntStats, now: BigIntStats | undefined): void {
  const isSame =
    now !== undefined &&
    now.size === before.size &&
    now.mtimeNs === before.mtimeNs &&
    now.ino === before.ino &&
    now.dev === before.dev;
  if (isSame) return;
  const got = now === undefined ? 'it no longer exists' : 'it was changed or replaced';
  throw new PublishError('INPUT_MEDIA_CHANGED', { reason: `expected ${path} to stay unchanged, but ${got}` });
}

function refuseNonFile(path: string, stats: BigIntStats): void {
  if (stats.isFile()) return;
  const got = stats.isDirectory() ? 'a directory' : 'a pipe, socket or device';
  throw new PublishError('INPUT_MEDIA_NOT_A_FILE', { reason: `expected a file, got ${got}: ${path}` });
}

async function detectContentType(
  handle: FileHandle,
  path: string,
  kind: MediaKind,
): Promise<MediaSource['contentType']> {
  const probe = Buffer.alloc(CONTAINER_PROBE_BYTES);
  const { bytesRead } = await explained(path, () => handle.read(probe, 0, probe.length, 0));
  return contentTypeOf(path, probe.subarray(0, bytesRead), kind);
}

/**
 * Refuses a file that somebody is writing: one that was written to a moment ago and is again while we wait that moment,
 * or one with holes, as of a download that makes room first, that was written to within a minute.
 * @throws PublishError `INPUT_MEDIA_BEING_WRITTEN`
 */
async function refuseUnfinished(path: string, handle: FileHandle, stats: BigIntStats): Promise<void> {
  // A file server's clock may be ahead of ours.
  const sinceWrittenMs = Math.abs(Date.now() - Number(stats.mtimeMs));
  if (missingBytes(stats) > SLACK_BYTES && sinceWrittenMs < FILL_MS) {
    throw beingWritten(`the file has holes and was changed less than a minute ago: ${path}`);
  }
  if (sinceWrittenMs >= QUIET_MS) return;
  await setTimeout(QUIET_MS - sinceWrittenMs);
  const now = await explained(path, () => handle.stat({ bigint: true }));
  if (now.size !== stats.size || now.mtimeNs !== stats.mtimeNs) {
    throw beingWritten(`the file is being written to, ${now.size} bytes so far: ${path}`);
  }
}

/**
 * What a person should know of a file that takes less room than it is long. It may be whole all the same: file systems
 * that compress show it too.
 */
function remarkOnHoles(stats: Pick<BigIntStats, 'size' | 'blocks'>): string | undefined {
  const missing = missingBytes(stats);
  if (missing <= SLACK_BYTES) return undefined;
  return `the file uses ${missing} bytes less on disk than its size: it has holes, or the disk compresses it`;
}

function missingBytes({ size, blocks }: Pick<BigIntStats, 'size' | 'blocks'>): number {
  return Number(size) - Number(blocks) * BLOCK_BYTES;
}

function beingWritten(reason: string): PublishError {
  return new PublishError('INPUT_MEDIA_BEING_WRITTEN', { reason });
}
