import type { IncomingHttpHeaders } from 'node:http';
import { type Check, check } from './conformance-rules.ts';
import type { ChunkRecord, UploadTask } from './publishes.ts';
import { chunkIndexOf, fitsPlan, headerFaultOf, isRepeated } from './put-rules.ts';
import { chunkRange } from './source-info.ts';

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
