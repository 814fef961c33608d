import { MAX_VIDEO_BYTES } from '../core/chunk-plan.ts';
import type { MediaSource, SourcePin } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { detectContainerType } from './container-type.ts';

/**
 * @param name the file's path, or the server's or object's name
 * @throws PublishError `INPUT_MEDIA_EMPTY`, `INPUT_MEDIA_TOO_LARGE`
 */
export function refuseSize(name: string, sizeBytes: number): void {
  if (sizeBytes === 0) throw new PublishError('INPUT_MEDIA_EMPTY', { reason: `the video at ${name} is empty` });
  if (sizeBytes <= MAX_VIDEO_BYTES) return;
  const reason = `expected at most ${MAX_VIDEO_BYTES} bytes, got ${sizeBytes} at ${name}`;
  throw new PublishError('INPUT_MEDIA_TOO_LARGE', { reason });
}

/** The type of a video by its first bytes. @throws PublishError `INPUT_MEDIA_CONTAINER_UNSUPPORTED`, `INPUT_MEDIA_WEB_PAGE` */
export function contentTypeOf(name: string, firstBytes: Buffer): MediaSource['contentType'] {
  const contentType = detectContainerType(firstBytes);
  if (contentType !== undefined) return contentType;
  if (/^\ufeff?\s*<(!doctype html|html|head|body|script|!--)/i.test(firstBytes.toString('utf8'))) throw webPage(name);
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
