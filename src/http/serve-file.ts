import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseRange } from '../core/byte-range.ts';
import type { MediaSource } from '../core/ports.ts';
import { sha256Hex } from '../core/request-digest.ts';
import { SECOND_MS } from '../core/units.ts';

/** A file that is sent to who asks for it. */
export interface ServedFile extends Pick<MediaSource, 'pin' | 'read' | 'verifyUnchanged' | 'close'> {
  readonly contentType: string;
}

/** Longest time in which a client may take nothing (ms). */
const IDLE_MS = 60 * SECOND_MS;
const ETAG_CHARS = 32;

/**
 * Answers with a file or a range of it, as a cache or a downloader wants it: `HEAD`, `Range` and `If-Range`. The file is
 * read as fast as the client takes it, and closed in the end. Should it have changed meanwhile, the answer breaks off.
 */
export function serveFile({ method, headers }: FastifyRequest, reply: FastifyReply, file: ServedFile): FastifyReply {
  const { sizeBytes, version } = file.pin;
  const etag = `"${sha256Hex(`${sizeBytes} ${version}`).slice(0, ETAG_CHARS)}"`;
  reply.headers({
    ...{ 'content-type': file.contentType, 'accept-ranges': 'bytes', etag },
    // What a cache keeps would still be given out after the job's end.
    ...{ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
  });
  const isSame = headers['if-range'] === undefined || headers['if-range'] === etag;
  const range = method === 'GET' && isSame ? parseRange(headers.range, sizeBytes) : undefined;
  if (range === 'unsatisfiable') {
    void file.close();
    return reply.code(416).header('content-range', `bytes */${sizeBytes}`).send();
  }
  const { startByte, endByteExclusive } = range ?? { startByte: 0, endByteExclusive: sizeBytes };
  reply.header('content-length', endByteExclusive - startByte);
  if (range !== undefined) {
    reply.code(206).header('content-range', `bytes ${startByte}-${endByteExclusive - 1}/${sizeBytes}`);
  }
  if (method === 'HEAD') {
    void file.close();
    return reply.send();
  }
  const body = Readable.from(unchanged(file, startByte, endByteExclusive), { objectMode: false });
  body.once('close', () => void file.close());
  reply.raw.setTimeout(IDLE_MS, () => body.destroy(new Error('the client takes nothing')));
  return reply.send(body);
}

/**
 * Copies, since a source uses its buffers again. The last piece is held back until the file has proven to be the same, so
 * that nobody takes a mixture for the whole.
 */
async function* unchanged(file: ServedFile, startByte: number, endByteExclusive: number) {
  let held: Buffer | undefined;
  for await (const piece of file.read(startByte, endByteExclusive)) {
    if (held !== undefined) yield held;
    held = Buffer.from(piece);
  }
  await file.verifyUnchanged();
  if (held !== undefined) yield held;
}

/** A short text as a file. */
export function textFile(text: string): ServedFile {
  const bytes = Buffer.from(text);
  return {
    ...{ contentType: 'text/plain; charset=utf-8', pin: { sizeBytes: bytes.length, version: sha256Hex(text) } },
    async *read(startByte, endByteExclusive) {
      yield bytes.subarray(startByte, endByteExclusive);
    },
    verifyUnchanged: async () => undefined,
    close: async () => undefined,
  };
}
