import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, plain } from './answers.ts';
import { type Check, check } from './conformance-rules.ts';
import type { SimulatorSwitches } from './options.ts';
import type { ChunkRecord, Publish, UploadTask } from './publishes.ts';
import { chunkRange } from './source-info.ts';

const CONTENT_TYPES = ['video/mp4', 'video/quicktime', 'video/webm'];

/** Starts the record of a PUT from its `Content-Range: bytes FIRST-LAST/TOTAL`. */
export function chunkRecordOf(headers: IncomingHttpHeaders): ChunkRecord {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '');
  return {
    startByte: Number(match?.[1] ?? Number.NaN),
    endByteExclusive: Number(match?.[2] ?? Number.NaN) + 1,
    totalBytes: Number(match?.[3] ?? Number.NaN),
    receivedBytes: 0,
    accepted: false,
    concurrent: false,
    outOfOrder: false,
    bytesSinceOvertaken: 0,
  };
}

/** Which chunk of the plan a PUT means, from 0; NaN when it announced no range. */
export function chunkIndexOf(task: UploadTask, chunk: ChunkRecord): number {
  return Math.min(Math.floor(chunk.startByte / task.plan.chunkSizeBytes), task.plan.chunkCount - 1);
}

/** Whether a chunk repeats one that was accepted before. */
export function isRepeated(task: UploadTask, chunk: ChunkRecord): boolean {
  return chunk.endByteExclusive <= task.acceptedBytes && fitsPlan(task, chunk);
}

/**
 * Why a PUT is refused before its body is read, if so. Status codes after content-posting-api-media-transfer-guide,
 * read 2026-11-22: 404 no such task, 403 URL expired, 400 bad headers, 416 range does not match the upload's progress.
 */
export function putRefusal(
  publish: Publish | undefined,
  chunk: ChunkRecord,
  headers: IncomingHttpHeaders,
  now: number,
  switches: SimulatorSwitches,
): Answer | undefined {
  const task = publish?.upload;
  if (task === undefined || publish?.ended !== undefined) return plain(404, 'Upload task not found');
  if (now >= task.expiresAt) return expired();
  const headerFault = headerFaultOf(chunk, headers);
  if (headerFault !== undefined) return plain(400, headerFault);
  if (isRepeated(task, chunk) && switches.repeatedChunk === 'success') return undefined;
  return continues(task, chunk) ? undefined : outOfRange(task, switches);
}

/** Whether a chunk is exactly the next one of the plan. */
export function continues(task: UploadTask, chunk: ChunkRecord): boolean {
  return chunk.startByte === task.acceptedBytes && fitsPlan(task, chunk);
}

/** The answer to an accepted chunk: 201 when the file is complete, else 206. */
export function accepted(task: UploadTask, switches: SimulatorSwitches): Answer {
  const isComplete = task.acceptedBytes === task.plan.totalBytes;
  return { httpStatus: isComplete ? 201 : 206, headers: progressHeaders(task, switches), body: '', code: 'ok' };
}

/** The answer to a range that does not continue the upload. */
export function outOfRange(task: UploadTask, switches: SimulatorSwitches): Answer {
  const headers = switches.contentRangeOn416 === 'progress' ? progressHeaders(task, switches) : {};
  return plain(416, 'Content-Range does not match the upload progress', headers);
}

/** The answer once the upload URL's hour is over. */
export function expired(): Answer {
  return plain(403, 'upload_url has expired');
}

/** Whether a chunk has exactly the bytes that init announced for it. */
function fitsPlan(task: UploadTask, chunk: ChunkRecord): boolean {
  const planned = chunkRange(task.plan, chunkIndexOf(task, chunk));
  return (
    chunk.totalBytes === task.plan.totalBytes &&
    chunk.startByte === planned.startByte &&
    chunk.endByteExclusive === planned.endByteExclusive
  );
}

/** What is wrong with the headers of a PUT, if anything. */
function headerFaultOf(chunk: ChunkRecord, headers: IncomingHttpHeaders): string | undefined {
  if (!CONTENT_TYPES.includes(headers['content-type'] ?? '')) return 'Content-Type is invalid';
  if (headers['content-length'] === undefined) return 'Content-Length is missing';
  const isRange = chunk.startByte < chunk.endByteExclusive && chunk.endByteExclusive <= chunk.totalBytes;
  if (!isRange) return 'Content-Range is missing or malformed';
  const announcedBytes = Number(headers['content-length']);
  if (announcedBytes !== chunk.endByteExclusive - chunk.startByte) return 'Content-Length does not match Content-Range';
  return undefined;
}

/** `bytes 0-N/TOTAL`; whether N is the last index or a count is not documented. */
function progressHeaders(task: UploadTask, switches: SimulatorSwitches): Record<string, string> {
  const { acceptedBytes, plan } = task;
  const upperEnd = switches.contentRangeReading === 'count' ? acceptedBytes : acceptedBytes - 1;
  // Nothing accepted has no last index; RFC 9110 writes an unsatisfied range as an asterisk.
  const range = upperEnd < 0 ? '*' : `0-${upperEnd}`;
  return { 'content-range': `bytes ${range}/${plan.totalBytes}` };
}

/** What a PUT says about the rules of the contract, at its arrival. */
export function judgePut(task: UploadTask | undefined, chunk: ChunkRecord, headers: IncomingHttpHeaders): Check[] {
  const headerFault = headerFaultOf(chunk, headers);
  const checks = [check('path'), check('put-headers', headerFault)];
  if (task === undefined) return checks;
  if (task.refused?.httpStatus === 403)
    checks.push(check('upload-url-expired', `PUT of ${rangeOf(chunk)} after a 403`));
  if (headerFault !== undefined) return checks;
  if (task.refused?.httpStatus === 416) {
    const isSame = chunk.startByte === task.refused.startByte && chunk.startByte !== task.acceptedBytes;
    checks.push(check('resume-after-416', isSame && `${rangeOf(chunk)} again; TikTok has ${task.acceptedBytes} bytes`));
  }
  const planned = chunkRange(task.plan, chunkIndexOf(task, chunk));
  if (!fitsPlan(task, chunk)) {
    const announced = rangeOf({ ...planned, totalBytes: task.plan.totalBytes });
    checks.push(check('put-as-announced', `${rangeOf(chunk)}; init announced ${announced}`));
    return checks;
  }
  checks.push(check('put-as-announced'));
  // Sent again after its answer was lost: the documentation asks for that.
  if (task.misled !== true && !isRepeated(task, chunk)) {
    const isNext = chunk.startByte === task.acceptedBytes;
    checks.push(check('put-in-order', !isNext && `${rangeOf(chunk)} while TikTok has ${task.acceptedBytes} bytes`));
  }
  return checks;
}

function rangeOf({
  startByte,
  endByteExclusive,
  totalBytes,
}: Pick<ChunkRecord, 'startByte' | 'endByteExclusive' | 'totalBytes'>) {
  return `bytes ${startByte}-${endByteExclusive - 1}/${totalBytes}`;
}
