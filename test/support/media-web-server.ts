import { createReadStream, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream';

export type MediaWebServer = Awaited<ReturnType<typeof startMediaWebServer>>;

/** Serves the files of a folder by ranges, as web servers do: the ETag is made of time and size. */
export async function startMediaWebServer(folder: string) {
  const ranges: { readonly name: string; readonly range: string }[] = [];
  const server = createServer((request, response) => {
    const name = basename(new URL(request.url ?? '', 'http://localhost').pathname);
    ranges.push({ name, range: request.headers.range ?? '' });
    serve(join(folder, name), request, response).catch(() => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    /** For `OUTBOUND_ALLOW_HOSTS`. */
    allowHosts: [`127.0.0.1:${port}`],
    /** What was asked for, oldest first. */
    ranges,
    /** Where a file of the folder is to be had. */
    url: (path: string): string => `http://127.0.0.1:${port}/${basename(path)}`,
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const stats = await stat(path);
  const etag = etagOf(stats);
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  const condition = request.headers['if-range'];
  const isWhole = match === null || (condition !== undefined && condition !== etag);
  const start = isWhole ? 0 : Number(match[1]);
  const end = isWhole ? stats.size - 1 : Math.min(Number(match[2]), stats.size - 1);
  if (start > end) {
    response.writeHead(416, { 'content-range': `bytes */${stats.size}` }).end();
    return;
  }
  response.writeHead(isWhole ? 200 : 206, {
    'content-type': 'video/mp4',
    'content-length': end - start + 1,
    etag,
    ...(!isWhole && { 'content-range': `bytes ${start}-${end}/${stats.size}` }),
  });
  pipeline(createReadStream(path, { start, end }), response, () => undefined);
}

function etagOf({ size, mtimeMs }: Stats): string {
  return `"${Math.floor(mtimeMs).toString(16)}-${size.toString(16)}"`;
}
