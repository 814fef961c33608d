import type { Hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from './answers.ts';
import { brokenRules, type Check } from './conformance-rules.ts';
import { answerInstead, maySend, spoilPublish } from './fault-answers.ts';
import type { FaultAct } from './faults.ts';
import { dropConnection, writeAnswer } from './http-exchange.ts';
import type { Outcome } from './journal.ts';
import type { MovieLength } from './movie-length.ts';
import type { ChunkRecord, Publish, UploadTask } from './publishes.ts';
import {
  accepted,
  chunkIndexOf,
  chunkRecordOf,
  continues,
  expired,
  isRepeated,
  judgePut,
  outOfRange,
  putRefusal,
} from './put-rules.ts';
import type { World } from './world.ts';

/** What socket buffers may still hold of a PUT whose client has already left. */
const SOCKET_BUFFER_BYTES = 8 * 1_048_576;

interface Put {
  request: IncomingMessage;
  response: ServerResponse;
  at: number;
  publish: Publish | undefined;
  chunk: ChunkRecord;
  fault: FaultAct | undefined;
  /** What it says about the rules of the contract. */
  checks: Check[];
}

/** Serves one PUT to an upload URL, together with the fault scripted for it. */
export async function serveUpload(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const publish = publishOf(world, url);
  const chunk = chunkRecordOf(request.headers);
  const fault = world.faults.meet({ endpoint: 'upload', ...subjectOf(publish, chunk) });
  const checks = judgePut(publish?.upload, chunk, request.headers);
  const put: Put = { request, response, at: world.now(), publish, chunk, fault, checks };
  if (publish?.upload !== undefined) publish.upload.latestPut = chunk;

  if (fault?.kind === 'drop_before') {
    record(world, put, 'dropped');
    dropConnection(request);
    return;
  }
  const scripted = answerInstead(world, 'upload', fault, `PUT ${url.href}`);
  if (publish?.upload !== undefined && scripted !== undefined && scripted.httpStatus < 300)
    publish.upload.misled = true;
  const early = scripted ?? putRefusal(publish, chunk, request.headers, put.at, world.settings.switches);
  if (early !== undefined) {
    chunk.outOfOrder = early.httpStatus === 416;
    answerEarly(world, put, early);
    return;
  }
  if (publish?.upload !== undefined) await takeChunk(world, put, publish, publish.upload);
}

/** Reads the chunk and, only when all of it came, adds it to the upload. */
async function takeChunk(world: World, put: Put, publish: Publish, task: UploadTask): Promise<void> {
  const { chunk, fault, request, response } = put;
  const digest = task.hash?.copy();
  const length = task.length.copy();
  const reception = await receiveChunk(world, request, fault, (bytes) => {
    digest?.update(bytes);
    length.add(bytes);
    countBytes(world, put, task, bytes.length);
  });
  if (reception !== 'complete') {
    record(world, put, reception);
    return;
  }
  const answer = commit(world, publish, task, chunk, { digest, length });
  if (chunk.accepted) spoilPublish(fault, publish);

  if (!(await maySend(world, request, fault, answer, (outcome) => record(world, put, outcome, answer)))) return;
  noteOverlapOnceAnswered(put, task);
  writeAnswer(response, answer);
}

/** How the body of a PUT ended. `stalled`: a fault stopped reading for good. */
type Reception = 'complete' | 'aborted' | 'dropped' | 'stalled';

/** Reads the body of a PUT, at the pace and to the point that the fault allows. */
function receiveChunk(
  world: World,
  request: IncomingMessage,
  fault: FaultAct | undefined,
  onBytes: (bytes: Buffer) => void,
): Promise<Reception> {
  return new Promise((resolve) => {
    let receivedBytes = 0;
    let hasStalled = false;
    const pauseFor = (ms: number) => {
      request.pause();
      void world.wait(ms).then((isOpen) => isOpen && request.resume());
    };
    const obeyFault = (latestBytes: number) => {
      if (fault?.kind === 'drop_mid_body' && receivedBytes >= fault.afterBytes) {
        resolve('dropped');
        dropConnection(request);
      } else if (fault?.kind === 'slow_read') {
        pauseFor((latestBytes / fault.bytesPerSecond) * 1_000);
      } else if (fault?.kind === 'stall' && !hasStalled && receivedBytes >= (fault.afterBytes ?? 0)) {
        hasStalled = true;
        if (fault.ms !== undefined) return pauseFor(fault.ms);
        request.pause();
        resolve('stalled');
      }
    };
    request.on('data', (bytes: Buffer) => {
      receivedBytes += bytes.length;
      onBytes(bytes);
      if (fault !== undefined) obeyFault(bytes.length);
    });
    request.on('end', () => resolve('complete'));
    request.on('error', () => resolve('aborted'));
    request.on('close', () => resolve('aborted'));
  });
}

function commit(
  world: World,
  publish: Publish,
  task: UploadTask,
  chunk: ChunkRecord,
  { digest, length }: { digest: Hash | undefined; length: MovieLength },
): Answer {
  const { switches } = world.settings;
  // The whole upload must end within the hour, so the URL can expire under a slow chunk.
  if (world.now() >= task.expiresAt) return expired();
  if (switches.repeatedChunk === 'success' && isRepeated(task, chunk)) return accepted(task, switches);
  // Another PUT of the same chunk may have been faster.
  if (!continues(task, chunk)) {
    chunk.outOfOrder = true;
    return outOfRange(task, switches);
  }
  chunk.accepted = true;
  task.acceptedBytes = chunk.endByteExclusive;
  task.hash = digest;
  task.length = length;
  if (task.acceptedBytes === task.plan.totalBytes) {
    publish.transferredAt = world.now();
    publish.seconds = length.seconds;
  }
  return accepted(task, switches);
}

/** Answers at once and lets the body run out, so that the connection can be used again. */
function answerEarly(world: World, put: Put, answer: Answer): void {
  const task = put.publish?.upload;
  put.request.on('data', (bytes: Buffer) => {
    if (task === undefined) put.chunk.receivedBytes += bytes.length;
    else countBytes(world, put, task, bytes.length);
  });
  // A client that gives up the rest of the body is no error of the server.
  put.request.on('error', () => undefined);
  record(world, put, answer.httpStatus, answer);
  if (task !== undefined) noteOverlapOnceAnswered(put, task);
  writeAnswer(put.response, answer);
}

function countBytes(world: World, { chunk }: Put, task: UploadTask, bytes: number): void {
  chunk.receivedBytes += bytes;
  task.receivedBytes += bytes;
  if (task.latestPut !== undefined && task.latestPut !== chunk) {
    chunk.bytesSinceOvertaken += bytes;
    if (chunk.bytesSinceOvertaken > SOCKET_BUFFER_BYTES) noteOverlap(chunk, task.latestPut);
  }
  world.journal.noteBytes();
}

/**
 * Two PUTs overlap when the older one's client is still there to take its answer. A client that broke the older one
 * off and sent the chunk again does nothing wrong, even if the server has not noticed yet.
 */
function noteOverlapOnceAnswered({ request, response, chunk }: Put, task: UploadTask): void {
  const newer = task.latestPut;
  if (newer === undefined || newer === chunk) return;
  response.once('finish', () => {
    setImmediate(() => {
      const hasLeft = request.socket.destroyed || request.socket.readableEnded;
      if (!hasLeft) noteOverlap(chunk, newer);
    });
  });
}

function noteOverlap(older: ChunkRecord, newer: ChunkRecord): void {
  older.concurrent = true;
  newer.concurrent = true;
}

function publishOf(world: World, url: URL): Publish | undefined {
  const publish = world.publishes.ofUpload(url.searchParams.get('upload_id') ?? '');
  return publish?.upload?.uploadToken === url.searchParams.get('upload_token') ? publish : undefined;
}

function subjectOf(publish: Publish | undefined, chunk: ChunkRecord) {
  if (publish?.upload === undefined) return {};
  const chunkIndex = chunkIndexOf(publish.upload, chunk);
  const lastChunk = chunkIndex === publish.upload.plan.chunkCount - 1;
  return { openId: publish.openId, publishId: publish.publishId, chunkIndex, lastChunk };
}

function record(world: World, put: Put, httpStatus: Outcome, answer?: Answer): void {
  const { at, publish, chunk, fault, checks } = put;
  const seq = world.journal.record({
    at,
    endpoint: 'upload',
    httpStatus,
    code: answer?.code,
    openId: publish?.openId,
    publishId: publish?.publishId,
    fault: fault?.kind,
    chunk,
    broke: brokenRules(checks),
  });
  world.conformance.note(checks, seq);
  if (publish?.upload === undefined) return;
  const isRefused = httpStatus === 403 || httpStatus === 416;
  publish.upload.refused = isRefused ? { httpStatus, startByte: chunk.startByte } : undefined;
}
