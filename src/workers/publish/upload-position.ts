import { crc32 } from 'node:zlib';
import { type ChunkPlan, edgeForReport, planWithChunks } from '../../core/chunk-plan.ts';
import type { MediaSource } from '../../core/ports.ts';
import { PublishError } from '../../core/publish-error.ts';
import { failReasonToErrorCode } from '../../core/tiktok-codes.ts';
import type { LedgerRecord } from '../../ledger/record.ts';
import type { StatusAnswer } from '../../tiktok/index.ts';

/** How far an upload is, by TikTok's own word. */
export type UploadPosition =
  /** TikTok has the whole file, or is past that point. */
  | { readonly kind: 'complete' }
  /** The next byte TikTok wants. */
  | { readonly kind: 'at'; readonly offsetBytes: number }
  /** TikTok did not say. */
  | { readonly kind: 'unknown' };

/** The plan under which a job's present publish_id was made. */
export function planOf({ totalBytes, chunkSizeBytes }: LedgerRecord): ChunkPlan {
  return planWithChunks(totalBytes, chunkSizeBytes);
}

/**
 * Reads the position out of a status answer.
 * @throws PublishError what the fail_reason means, when TikTok has failed the post
 */
export function positionFromStatus(answer: StatusAnswer, plan: ChunkPlan): UploadPosition {
  if (answer.status === 'FAILED') throw failureOf(answer);
  if (answer.status === 'PUBLISH_COMPLETE' || answer.status === 'SEND_TO_USER_INBOX') return { kind: 'complete' };
  return positionFromReport(answer.uploadedBytes, plan);
}

/** Reads the position out of `uploaded_bytes` or a reply's `Content-Range`, which may be counts or last indexes. */
export function positionFromReport(reportedBytes: number | undefined, plan: ChunkPlan): UploadPosition {
  const offsetBytes = reportedBytes === undefined ? undefined : edgeForReport(plan, reportedBytes);
  if (offsetBytes === undefined) return { kind: 'unknown' };
  return offsetBytes === plan.totalBytes ? { kind: 'complete' } : { kind: 'at', offsetBytes };
}

/** The error that TikTok's fail_reason stands for. */
export function failureOf({ failReason, logId }: StatusAnswer): PublishError {
  return new PublishError(failReasonToErrorCode(failReason), {
    endpoint: 'status',
    publishFailed: true,
    ...(failReason !== undefined && { tiktokCode: failReason }),
    ...(logId !== undefined && { tiktokLogId: logId }),
  });
}

/**
 * The CRC-32 of a source's first `endByte` bytes, for the upload to go on from there.
 *
 * Where we know the CRC of what was accepted before (`known`), the same bytes must still be there: else two different
 * videos would be mixed into one.
 * @throws PublishError `INPUT_MEDIA_CHANGED`
 */
export async function verifyAcceptedBytes(
  source: MediaSource,
  endByte: number,
  known: { readonly endByte: number; readonly crc32: number } | undefined,
): Promise<number> {
  const checkedEnd = known === undefined || known.endByte > endByte ? 0 : known.endByte;
  const checked = await crc32OfRange(source, 0, checkedEnd, 0);
  if (known !== undefined && checkedEnd > 0 && checked !== known.crc32) {
    throw new PublishError('INPUT_MEDIA_CHANGED', {
      reason: `the first ${checkedEnd} bytes differ from the bytes that were uploaded`,
    });
  }
  return await crc32OfRange(source, checkedEnd, endByte, checked);
}

async function crc32OfRange(source: MediaSource, startByte: number, endByte: number, before: number): Promise<number> {
  if (startByte === endByte) return before;
  let crc = before;
  for await (const piece of source.read(startByte, endByte)) crc = crc32(piece, crc);
  return crc;
}
