import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createMediaOpener, type MediaOpener } from '../../../src/media/open-media.ts';
import { jpegOf, PICTURES, photo, refusal, startPhotoServer } from '../../support/photos.ts';
import { rejection } from '../../support/rejection.ts';

const large = Buffer.concat([PICTURES.jpeg, Buffer.alloc(20_000_000)]);
let isFirst = true;

let server: Awaited<ReturnType<typeof startPhotoServer>>;
let media: MediaOpener;
beforeAll(async () => {
  server = await startPhotoServer({
    'a.jpg': photo(jpegOf(1_080, 1_920)),
    'a.webp': photo(PICTURES.webpAlpha),
    'plain.jpg': photo(jpegOf(40, 30), { ranges: false }),
    'camera.jpg': photo(jpegOf(4_000, 3_000, 300_000)),
    'a.png': photo(PICTURES.png),
    'large.jpg': photo(large),
    'large-plain.jpg': photo(large, { ranges: false }),
    'empty.jpg': refusal(416, { 'content-range': 'bytes */0' }),
    'moved.jpg': refusal(302, { location: '/a.jpg' }),
    'busy.jpg': refusal(503),
    'private.jpg': refusal(403),
    'cut.jpg': (_request, response) => {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('x', () => response.destroy());
    },
    'silent.jpg': () => undefined,
    'trickling.jpg': (_request, response) => {
      response.writeHead(200, { 'content-length': 60_000 });
      const timer = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(timer));
    },
    'at-last.jpg': (request, response) => {
      (isFirst ? refusal(404) : photo(PICTURES.jpeg))(request, response);
      isFirst = false;
    },
  });
  media = createMediaOpener({ allowHosts: server.allowHosts });
});
afterAll(async () => {
  await media.close();
  await server.close();
});

describe('a look at a photo on the web', () => {
  it.each([
    ['a.jpg', { width: 1_080, height: 1_920 }],
    ['a.webp', { width: 42, height: 32 }],
    ['plain.jpg', { width: 40, height: 30 }],
    ['camera.jpg', { width: 4_000, height: 3_000 }],
    ['at-last.jpg', { width: 40, height: 30 }],
  ])('tells its size, whatever the server knows of ranges: %s', async (name, size) => {
    expect(await media.lookAtPhoto({ type: 'pull', url: server.url(name) })).toEqual({ size });
  });

  it.each([
    ['a.png', 'INPUT_PHOTO_UNSUPPORTED'],
    ['large.jpg', 'INPUT_PHOTO_UNSUPPORTED'],
    ['large-plain.jpg', 'INPUT_PHOTO_UNSUPPORTED'],
    ['empty.jpg', 'INPUT_MEDIA_EMPTY'],
    ['moved.jpg', 'INPUT_PHOTO_REDIRECTS'],
    ['missing.jpg', 'INPUT_MEDIA_NOT_FOUND'],
    ['private.jpg', 'INPUT_MEDIA_ACCESS_REFUSED'],
    ['busy.jpg', 'TRANSPORT_MEDIA_BUSY'],
    ['cut.jpg', 'TRANSPORT_MEDIA_INTERRUPTED'],
  ])('tells what is wrong with %s', async (name, code) => {
    const error = await rejection(
      media.lookAtPhoto({ type: 'pull', url: server.url(`${name}?signature=planted-secret`) }),
    );
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain('planted-secret');
  });

  it('never goes to a host that is not public', async () => {
    const error = await rejection(media.lookAtPhoto({ type: 'pull', url: 'https://127.0.0.1:9/a.jpg' }));
    expect(error).toMatchObject({ code: 'OUTBOUND_HOST_REFUSED' });
  });

  it('does not wait for a server that sends byte by byte, or nothing', async () => {
    const impatient = createMediaOpener({ allowHosts: server.allowHosts, stallMs: 50 });
    onTestFinished(() => impatient.close());
    for (const name of ['trickling.jpg', 'silent.jpg']) {
      expect(await rejection(impatient.lookAtPhoto({ type: 'pull', url: server.url(name) }))).toMatchObject({
        code: 'OUTBOUND_NO_ANSWER',
      });
    }
  });

  it('ends when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(media.lookAtPhoto({ type: 'pull', url: server.url('a.jpg') }, { signal })).rejects.toThrow('stopped');
  });
});
