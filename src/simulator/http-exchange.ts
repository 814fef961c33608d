import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from './answers.ts';

const MAX_BODY_BYTES = 1_048_576;

/** Reads a whole body as text. Resolves to nothing when the client left before the end, or sent more than 1 MiB. */
export async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let receivedBytes = 0;
  try {
    for await (const part of request) {
      if (!Buffer.isBuffer(part)) return undefined;
      receivedBytes += part.length;
      if (receivedBytes > MAX_BODY_BYTES) return undefined;
      parts.push(part);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Sends an answer; does nothing when the client has gone or has its answer. */
export function writeAnswer(response: ServerResponse, answer: Answer): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(answer.httpStatus, { 'content-length': Buffer.byteLength(answer.body), ...answer.headers });
  response.end(answer.body);
}

/** Breaks the connection without an answer; the client sees a reset. */
export function dropConnection(request: IncomingMessage): void {
  request.socket.resetAndDestroy();
}
