import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveParent, settingsOf } from './parent.ts';

/* The least that `url` and `s3` sources can read from: any path is a video of zeros behind the start of an MP4. */

const { sizeBytes } = settingsOf<{ sizeBytes: number }>();
const START = Buffer.from('0000001c667479706d703432000000006d70343269736f6d61766331', 'hex');
const ZEROS = Buffer.alloc(1_048_576);

const server = createServer((request, response) => {
  const [, first = 0, last = 0] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')?.map(Number) ?? [];
  response.writeHead(206, {
    'content-type': 'video/mp4',
    'content-length': last + 1 - first,
    'content-range': `bytes ${first}-${last}/${sizeBytes}`,
    etag: '"1"',
  });
  void send(response, first, last + 1);
});

async function send(response: ServerResponse, startByte: number, endByteExclusive: number): Promise<void> {
  const start = START.subarray(startByte, endByteExclusive);
  response.write(start);
  for (let at = startByte + start.length; at < endByteExclusive; at += ZEROS.length) {
    if (!response.write(ZEROS.subarray(0, endByteExclusive - at))) await once(response, 'drain');
  }
  response.end();
}

server.listen(0, '127.0.0.1', () => {
  serveParent({ url: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
