import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { MAX_VIDEO_BYTES } from '../core/chunk-plan.ts';
import type { ErrorCode } from '../core/error-table.ts';
import type { MediaSource, SourcePin } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { CONTAINER_PROBE_BYTES, detectContainerType } from './container-type.ts';
import { resolveMediaRoots } from './media-roots.ts';
import { createReadAhead } from './read-ahead.ts';

/** Rules for opening a file. */
export interface FileSourceOptions {
  /** Folders the file must live under, links resolved; without them any readable path will do. */
  readonly roots?: readonly string[] | undefined;
}

/**
 * Opens a local video and checks all that can be told without decoding it. It keeps one file handle and, once read from,
 * three buffers of 1 MiB; one reader at a time.
 *
 * @throws PublishError `INPUT_MEDIA_NOT_FOUND`, `INPUT_MEDIA_NOT_READABLE`, `INPUT_MEDIA_NOT_A_FILE`, `INPUT_MEDIA_EMPTY`,
 * `INPUT_MEDIA_TOO_LARGE`, `INPUT_MEDIA_CONTAINER_UNSUPPORTED`, `INPUT_MEDIA_OUTSIDE_ROOTS`, each naming the path
 */
export async function openFileSource(path: string, options: FileSourceOptions = {}): Promise<MediaSource> {
  const roots = await resolveMediaRoots(options.roots);
  roots.refuseOutside(path);
  const realPath = await explained(path, () => realpath(path));
  roots.refuseOutside(realPath);
  // Looked at before it is opened: opening alone can block (pipes) or do something (devices).
  refuseNonFile(path, await explained(path, () => stat(realPath, { bigint: true })));
  const handle = await explained(path, () => open(realPath, OPEN_FLAGS));
  try {
    const stats = await handle.stat({ bigint: true });
    refuseNonFile(path, stats);
    refuseSize(path, Number(stats.size));
    const contentType = await detectContentType(handle, path);
    return createSource({ path, handle, stats, contentType });
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Should the file be swapped after it was looked at: don't wait for a pipe's writer, don't follow a new link. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

interface OpenedFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
  readonly contentType: MediaSource['contentType'];
}

function createSource({ path, handle, stats, contentType }: OpenedFile): MediaSource {
  const pin = toPin(stats);
  const { read } = createReadAhead(handle, path);
  let closing: Promise<void> | undefined;
  return {
    pin,
    contentType,
    read: (startByte, endByteExclusive) => {
      if (!(startByte >= 0 && startByte < endByteExclusive && endByteExclusive <= pin.sizeBytes)) {
        throw new RangeError(
          `expected a range within 0 to ${pin.sizeBytes}, got ${startByte} to ${endByteExclusive} (exclusive)`,
        );
      }
      return read(startByte, endByteExclusive);
    },
    verifyUnchanged: async () => {
      refuseChange(path, stats, await handle.stat({ bigint: true }));
      // The name may lead to another file by now, while the handle still holds the old one.
      refuseChange(path, stats, await stat(path, { bigint: true }).catch(() => undefined));
    },
    close: () => {
      closing ??= handle.close();
      return closing;
    },
  };
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
  const got = now === undefined ? 'it is no longer there' : 'it was written to or replaced';
  throw new PublishError('INPUT_MEDIA_CHANGED', { reason: `expected ${path} to stay as it was, but ${got}` });
}

function refuseNonFile(path: string, stats: BigIntStats): void {
  if (stats.isFile()) return;
  const got = stats.isDirectory() ? 'a directory' : 'a pipe, socket or device';
  throw new PublishError('INPUT_MEDIA_NOT_A_FILE', { reason: `expected a video file, got ${got}: ${path}` });
}

function refuseSize(path: string, sizeBytes: number): void {
  if (sizeBytes === 0) throw new PublishError('INPUT_MEDIA_EMPTY', { reason: `the file is empty: ${path}` });
  if (sizeBytes <= MAX_VIDEO_BYTES) return;
  const reason = `expected at most ${MAX_VIDEO_BYTES} bytes, got ${sizeBytes}: ${path}`;
  throw new PublishError('INPUT_MEDIA_TOO_LARGE', { reason });
}

async function detectContentType(handle: FileHandle, path: string): Promise<MediaSource['contentType']> {
  const probe = Buffer.alloc(CONTAINER_PROBE_BYTES);
  const { bytesRead } = await explained(path, () => handle.read(probe, 0, probe.length, 0));
  const contentType = detectContainerType(probe.subarray(0, bytesRead));
  if (contentType !== undefined) return contentType;
  const reason = `expected an MP4, MOV or WebM video, got something else: ${path}`;
  throw new PublishError('INPUT_MEDIA_CONTAINER_UNSUPPORTED', { reason });
}

const NOT_FOUND_CODES = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE'];
const NOT_A_FILE_CODES = ['EISDIR', 'ENXIO', 'ENODEV'];

/** Runs one step of opening and names the path in what goes wrong. */
async function explained<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const systemCode = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const { code, problem } = explain(systemCode);
    throw new PublishError(code, { reason: `${problem}: ${path}` }, { cause: error });
  }
}

function explain(systemCode: string): { code: ErrorCode; problem: string } {
  if (NOT_FOUND_CODES.includes(systemCode)) return { code: 'INPUT_MEDIA_NOT_FOUND', problem: 'there is no such file' };
  if (NOT_A_FILE_CODES.includes(systemCode))
    return { code: 'INPUT_MEDIA_NOT_A_FILE', problem: 'expected a video file' };
  return { code: 'INPUT_MEDIA_NOT_READABLE', problem: `the file cannot be read (${systemCode})` };
}
