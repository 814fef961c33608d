import { MAX_VIDEO_BYTES } from '../core/chunk-plan.ts';
import type { MediaKind, MediaSource, SourcePin } from '../core/ports.ts';
import { MAX_PHOTO_BYTES } from '../core/post-limits.ts';
import { PublishError } from '../core/publish-error.ts';
import { detectContainerType, detectPhotoType } from './container-type.ts';

/**
 * @param name the file's path, or the server's or object's name
 * @throws PublishError `INPUT_MEDIA_EMPTY`, `INPUT_MEDIA_TOO_LARGE`, `INPUT_PHOTO_UNSUPPORTED`
 */
export function refuseSize(name: string, sizeBytes: number, kind: MediaKind = 'video'): void {
  if (sizeBytes === 0) throw new PublishError('INPUT_MEDIA_EMPTY', { reason: `the ${kind} at ${name} is empty` });
  const maxBytes = kind === 'photo' ? MAX_PHOTO_BYTES : MAX_VIDEO_BYTES;
  if (sizeBytes <= maxBytes) return;
  const reason = `expected at most ${maxBytes} bytes, got ${sizeBytes} at ${name}`;
  throw new PublishError(kind === 'photo' ? 'INPUT_PHOTO_UNSUPPORTED' : 'INPUT_MEDIA_TOO_LARGE', { reason });
}

/**
 * The type of a video or photo by its first bytes.
 * @throws PublishError `INPUT_MEDIA_CONTAINER_UNSUPPORTED`, `INPUT_PHOTO_UNSUPPORTED`, `INPUT_MEDIA_WEB_PAGE`
 */
export function contentTypeOf(name: string, firstBytes: Buffer, kind: MediaKind): MediaSource['contentType'] {
  const contentType = kind === 'photo' ? detectPhotoType(firstBytes) : detectContainerType(firstBytes);
  if (contentType !== undefined) return contentType;
  if (/^\ufeff?\s*<(!doctype html|html|head|body|script|!--)/i.test(firstBytes.toString('utf8'))) throw webPage(name);
  if (kind === 'photo') {
    const reason = `expected a JPEG or WebP image at ${name}, got something else`;
    throw new PublishError('INPUT_PHOTO_UNSUPPORTED', { reason });
  }
  const reason = `expected an MP4, MOV or WebM video at ${name}, got something else`;
  throw new PublishError('INPUT_MEDIA_CONTAINER_UNSUPPORTED', { reason });
}

/** The error of what is shown by a browser and holds no video itself, such as the page of a share link or a login. */
export function webPage(name: string): PublishError {
  return new PublishError('INPUT_MEDIA_WEB_PAGE', { reason: `expected a video at ${name}, got a web page` });
}

/** @throws RangeError for a range that is empty or not within the video */
export function refuseRange({ sizeBytes }: SourcePin, startByte: number, endByteExclusive: number): void {
  if (startByte >= 0 && startByte < endByteExclusive && endByteExclusive <= sizeBytes) return;
  throw new RangeError(
    `expected a range within 0 to ${sizeBytes}, got ${startByte} to ${endByteExclusive} (exclusive)`,
  );
}
