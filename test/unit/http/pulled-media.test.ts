import { randomBytes } from 'node:crypto';
import { request as ask } from 'node:http';
import { fastify } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { MediaSource } from '../../../src/core/ports.ts';
import { PublishError } from '../../../src/core/publish-error.ts';
import { type PulledMediaOptions, registerPulledMedia } from '../../../src/http/pulled-media.ts';
import { bufferSource } from '../../support/buffer-source.ts';
import { eventually } from '../../support/eventually.ts';

type OpenPulled = Exclude<Awaited<ReturnType<PulledMediaOptions['find']>>, undefined>;

async function serve(open: OpenPulled) {
  const server = fastify({ forceCloseConnections: true });
  const find = async (token: string) => (token === 'token' ? open : undefined);
  registerPulledMedia(server, { find, verificationFiles: new Map([['tiktokA.txt', 'A']]), drainMs: 0 });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const close = async () => await server.close();
  onTestFinished(close);
  return { url, link: `${url}/pull/token/video.mp4`, close };
}

/** A source that says whether it is open, and whether it has changed. */
function watched(bytes: Buffer) {
  let openCount = 0;
  let isChanged = false;
  return {
    openCount: () => openCount,
    change: () => {
      isChanged = true;
    },
    async open(): Promise<MediaSource> {
      openCount += 1;
      return {
        ...bufferSource(bytes),
        async verifyUnchanged() {
          if (isChanged) throw new PublishError('INPUT_MEDIA_CHANGED');
        },
        async close() {
          openCount -= 1;
        },
      };
    },
  };
}

/** Begins a download and reads nothing of it until it is asked whether all of it came. */
async function begin(link: string) {
  return await new Promise<{ leave(): void; isWhole(): Promise<boolean> }>((resolve, reject) => {
    const request = ask(link, { agent: false }, (response) => {
      const ended = new Promise<void>((settle) => response.once('close', settle));
      response.on('error', () => undefined);
      resolve({
        leave: () => request.destroy(),
        async isWhole() {
          response.resume();
          await ended;
          return response.complete;
        },
      });
    });
    request.once('error', reject).end();
  });
}

describe('media that TikTok downloads', () => {
  it('are closed after each answer, also after one of which nobody took the end', async () => {
    const bytes = randomBytes(20_000_000);
    const source = watched(bytes);
    const { link } = await serve(source.open);
    expect(Buffer.from(await (await fetch(link)).arrayBuffer()).equals(bytes)).toBe(true);
    await fetch(link, { method: 'HEAD' });
    await (await fetch(link, { headers: { range: 'bytes=99999999-' } })).arrayBuffer();
    const { leave } = await begin(link);
    expect(source.openCount()).toBeGreaterThan(0);
    leave();
    await eventually(() => expect(source.openCount()).toBe(0));
  });

  it('break off before their end when they change meanwhile', async () => {
    const source = watched(randomBytes(100_000));
    const { link } = await serve(source.open);
    source.change();
    await expect(fetch(link).then((answer) => answer.arrayBuffer())).rejects.toThrow();
    await eventually(() => expect(source.openCount()).toBe(0));
  });

  it('are given to 32 at a time; the others wait, and get theirs', async () => {
    const source = watched(randomBytes(20_000_000));
    const { link } = await serve(source.open);
    const begun = await Promise.all(Array.from({ length: 32 }, async () => await begin(link)));
    const waiting = fetch(link, { method: 'HEAD' });
    expect(source.openCount()).toBe(32);
    for (const { leave } of begun) leave();
    expect((await waiting).status).toBe(200);
    await eventually(() => expect(source.openCount()).toBe(0));
  });

  it('take no place for somebody without a link', async () => {
    const source = watched(randomBytes(20_000_000));
    const { url, link } = await serve(source.open);
    const begun = await Promise.all(Array.from({ length: 32 }, async () => await begin(link)));
    const others = await Promise.all(Array.from({ length: 300 }, () => fetch(`${url}/pull/guess/video.mp4`)));
    expect(new Set(others.map(({ status }) => status))).toEqual(new Set([403]));
    expect(await others[0]?.json()).toMatchObject({ code: 'PULL_LINK_INVALID' });
    for (const { leave } of begun) leave();
    await eventually(() => expect(source.openCount()).toBe(0));
  });

  it('do not keep a server from closing', async () => {
    const source = watched(randomBytes(20_000_000));
    const { link, close } = await serve(source.open);
    const { isWhole } = await begin(link);
    await close();
    expect(await isWhole()).toBe(false);
    await eventually(() => expect(source.openCount()).toBe(0));
  });

  it.each([
    ['expired', 403, 'PULL_LINK_EXPIRED'],
    ['unknown', 404, 'PULL_MEDIA_NOT_FOUND'],
    ['ended', 410, 'PULL_JOB_ENDED'],
    ['gone', 410, 'PULL_MEDIA_GONE'],
    ['busy', 503, 'PULL_BUSY'],
  ] as const)('are refused as %s with %i', async (refusal, status, code) => {
    const { link } = await serve(async () => refusal);
    const answer = await fetch(link);
    expect([answer.status, await answer.json()]).toMatchObject([status, { code }]);
    expect(answer.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
  });

  it('are beside the file by which TikTok verifies the address', async () => {
    const { url } = await serve(async () => 'unknown');
    const answer = await fetch(`${url}/pull/tiktokA.txt`);
    expect([answer.status, await answer.text()]).toEqual([200, 'A']);
    const other = await fetch(`${url}/pull/tiktokB.txt`);
    expect(other.status).toBe(404);
    await other.arrayBuffer();
  });
});
