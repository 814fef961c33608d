import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** Pictures that ffmpeg made: `-f lavfi -i color=red:s=40x30 -frames:v 1`, and so on. */
export const PICTURES = {
  /** 40 x 30 */
  jpeg: Buffer.from(
    '/9j/4AAQSkZJRgABAgAAAQABAAD//gAQTGF2YzU5LjM3LjEwMAD/2wBDAAgEBAQEBAUFBQUFBQYGBgYGBgYGBgYGBgYHBwcICAgHBwcGBgcHCAgICAkJCQgICAgJCQoKCgwMCwsODg4RERT/xABNAAEBAAAAAAAAAAAAAAAAAAAABgEBAQEAAAAAAAAAAAAAAAAAAAYHEAEAAAAAAAAAAAAAAAAAAAAAEQEAAAAAAAAAAAAAAAAAAAAA/8AAEQgAHgAoAwEiAAIRAAMRAP/aAAwDAQACEQMRAD8AiwEo38AAAAAAAAAB/9k=',
    'base64',
  ),
  /** 40 x 30, lossy (VP8) */
  webp: Buffer.from(
    'UklGRk4AAABXRUJQVlA4IEIAAABQAwCdASooAB4APpFGnkslo6KhpWgAsBIJZwDO3oAAK/fDcAD+7tPf/2LOWwLx//7nA/7nA/7nA/jbB+29aoAAAAA=',
    'base64',
  ),
  /** 40 x 30, lossless (VP8L) */
  webpLossless: Buffer.from('UklGRhwAAABXRUJQVlA4TA8AAAAvJ0AHAAcQ7Y/+ByKi/wEA', 'base64'),
  /** 42 x 32, with transparency (VP8X) */
  webpAlpha: Buffer.from(
    'UklGRnIAAABXRUJQVlA4WAoAAAAQAAAAKQAAHwAAQUxQSAoAAAABB9C/iAhERP8DVlA4IEIAAABQAwCdASoqACAAPpFGnkslo6KhpWgAsBIJZwDO3oAAK/fDcAD+7tPf/2LOWwLx//7nA/7nA/7nA/jbB+29aoAAAAA=',
    'base64',
  ),
  /** 43 x 33 */
  png: Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAACoAAAAgCAIAAADrOn1qAAAACXBIWXMAAAABAAAAAQBPJcTWAAAAK0lEQVR4nO3NwQUAABADsO6/83FjlAr5J5cUNW+9Xq/X6/V6vV6v1+tn+gemSjCM5pOvxAAAAABJRU5ErkJggg==',
    'base64',
  ),
};

/** The JPEG with another size in its frame header, after as many bytes of previews as cameras put before it. */
export function jpegOf(width: number, height: number, previewBytes = 0): Buffer {
  const frame = PICTURES.jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  const resized = Buffer.from(PICTURES.jpeg);
  resized.writeUInt16BE(height, frame + 5);
  resized.writeUInt16BE(width, frame + 7);
  const segments: Buffer[] = [];
  for (let left = previewBytes; left > 0; left -= 65_000) {
    const segment = Buffer.alloc(2 + Math.min(left, 65_000));
    segment.writeUInt16BE(0xffe1);
    segment.writeUInt16BE(segment.length - 2, 2);
    segments.push(segment);
  }
  return Buffer.concat([resized.subarray(0, 2), ...segments, resized.subarray(2)]);
}

/** What a photo server does with one request. */
export type PhotoAnswer = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers with bytes: with the range asked for, or with all of them where the server knows no ranges. */
export function photo(bytes: Buffer, { ranges = true } = {}): PhotoAnswer {
  return (request, response) => {
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (!ranges || match === null) {
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      return;
    }
    const end = Math.min(Number(match[2]) + 1, bytes.length);
    response.writeHead(206, { 'content-range': `bytes 0-${end - 1}/${bytes.length}` }).end(bytes.subarray(0, end));
  };
}

/** Answers with a status, and nothing to see. */
export function refusal(httpStatus: number, headers: Record<string, string> = {}): PhotoAnswer {
  return (_request, response) => void response.writeHead(httpStatus, headers).end();
}

/** Serves photos by their names on this machine. */
export async function startPhotoServer(photos: Readonly<Record<string, PhotoAnswer>>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? '', 'http://localhost').pathname.slice(1);
    asked.push(name);
    (photos[name] ?? refusal(404))(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return {
    /** For `OUTBOUND_ALLOW_HOSTS`. */
    allowHosts: [host],
    /** The photos that were asked for, oldest first. */
    asked,
    url: (name: string) => `http://${host}/${name}`,
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
