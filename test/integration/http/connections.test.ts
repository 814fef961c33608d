import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startMetricsServer } from '../../../src/http/start-metrics-server.ts';
import { type ServerOptions, startServer, type WebServer } from '../../../src/http/start-server.ts';
import { openLogger } from '../../../src/observability/logger.ts';
import { createMetrics } from '../../../src/observability/metrics.ts';
import { bufferSource } from '../../support/buffer-source.ts';
import { eventually } from '../../support/eventually.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const log = await openLogger({ level: 'silent', format: 'json' });

async function start(options: Partial<ServerOptions>, open = startServer): Promise<WebServer> {
  const base = { host: '127.0.0.1', port: 0, metrics: createMetrics(), readinessChecks: [], log };
  const server = await open({ ...base, board: { queues: [] }, ...options });
  cleanups.push(() => server.close());
  return server;
}

/** A client that keeps its half of the connection open, whatever the server does with its own. */
async function open({ url }: WebServer, bytes = '') {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  cleanups.push(() => socket.destroy());
  const pieces: Buffer[] = [];
  socket.on('data', (piece) => {
    pieces.push(piece);
  });
  socket.on('error', () => undefined);
  // All that the server said, once it has ended its half.
  const ended = once(socket, 'end').then(() => Buffer.concat(pieces).toString());
  // Not every test waits for it.
  ended.catch(() => undefined);
  await once(socket, 'connect');
  socket.write(bytes);
  return { socket, ended };
}

const HALF_A_HEAD = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n';
const HALF_A_BODY =
  'POST /webhooks/tiktok HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{';

describe('a connection', () => {
  it.each([
    ['on which nothing is asked', ''],
    ['whose request has no end', HALF_A_HEAD],
    ['whose body does not come', HALF_A_BODY],
  ])('%s is answered and taken away, though the client keeps it', async (_title, bytes) => {
    const server = await start({ requestMs: 200, maxConnections: 1 });
    const { socket, ended } = await open(server, bytes);
    expect(await ended).toMatch(/^HTTP\/1\.1 408 /);
    // That the server holds nothing of it any more shows when something is sent there.
    const reset = new Promise((resolve) => socket.once('close', resolve));
    const sending = setInterval(() => socket.write('x'), 20);
    cleanups.push(() => clearInterval(sending));
    await reset;
  });

  it.each([
    ['web server', startServer],
    ['metrics server', startMetricsServer as typeof startServer],
  ])('that waits makes room for others in a %s that holds as many as it may', async (_title, opening) => {
    const server = await start({ maxConnections: 10 }, opening);
    const waiting = [];
    for (let count = 0; count < 10; count += 1) waiting.push(await open(server, count % 2 === 0 ? HALF_A_HEAD : ''));
    const next = await open(server, `${HALF_A_HEAD}Connection: close\r\n\r\n`);
    expect(await next.ended).toMatch(/^HTTP\/1\.1 200 /);
    expect(await waiting[0]?.ended).toBe('');
  });

  it('is refused where all others are at work, which go on', async () => {
    const events = new EventEmitter();
    const asked = once(events, 'asked');
    const check = async () => {
      events.emit('asked');
      await once(events, 'pass');
    };
    const server = await start({ maxConnections: 1, readinessChecks: [{ name: 'slow', check }] });
    const working = await open(server, 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    await asked;
    expect(await (await open(server)).ended).toBe('');
    events.emit('pass');
    expect(await working.ended).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('answers of which a client takes nothing', () => {
  it('give way to other clients where the server holds as many connections as it may', async () => {
    const source = bufferSource(randomBytes(20_000_000));
    let beganCount = 0;
    const openMedia = async () => {
      beganCount += 1;
      return source;
    };
    const pulledMedia = { find: async () => openMedia, verificationFiles: new Map(), drainMs: 0 };
    const server = await start({ maxConnections: 2, stalledMs: 50, pulledMedia });
    for (let count = 0; count < 2; count += 1) {
      const { socket } = await open(server);
      socket.pause();
      socket.write('GET /pull/token/video.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    }
    await eventually(() => expect(beganCount).toBe(2));
    await eventually(async () => {
      const next = await open(server, `${HALF_A_HEAD}Connection: close\r\n\r\n`);
      expect(await next.ended).toMatch(/^HTTP\/1\.1 200 /);
    });
  });

  it('end with their connection, also those that wait behind another one or begin too late', async () => {
    const events = new EventEmitter();
    const source = bufferSource(randomBytes(20_000_000));
    let openCount = 0;
    let askedCount = 0;
    const openMedia = async () => {
      askedCount += 1;
      if (askedCount === 32) await once(events, 'pass');
      openCount += 1;
      const close = async () => {
        openCount -= 1;
      };
      return { ...source, close };
    };
    const server = await start({
      pulledMedia: { find: async () => openMedia, verificationFiles: new Map(), drainMs: 0 },
    });
    const sockets = await Promise.all(Array.from({ length: 5 }, async () => (await open(server)).socket));
    for (const socket of sockets) {
      socket.pause();
      socket.write('GET /pull/token/video.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(8));
    }
    await eventually(() => expect([openCount, askedCount]).toEqual([31, 32]));
    for (const socket of sockets) socket.destroy();
    await eventually(() => expect(openCount).toBe(0));
    events.emit('pass');
    // Every place is free again.
    const answers = Array.from({ length: 33 }, () => fetch(`${server.url}/pull/token/video.mp4`, { method: 'HEAD' }));
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(33).fill(200));
    await eventually(() => expect(openCount).toBe(0));
  });

  it('are at most eight on a connection: what is asked for beyond them is refused', async () => {
    let openCount = 0;
    const source = bufferSource(randomBytes(20_000_000));
    const openMedia = async () => {
      openCount += 1;
      return { ...source, close: async () => undefined };
    };
    const server = await start({
      pulledMedia: { find: async () => openMedia, verificationFiles: new Map(), drainMs: 0 },
    });
    const { socket } = await open(server);
    let answers = '';
    socket.on('data', (piece) => {
      answers = (answers + piece.toString('latin1')).slice(-2_000);
    });
    socket.pause();
    const last = 'GET /pull/token/last.mp4 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    socket.write('GET /pull/token/video.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(8) + last);
    await eventually(() => expect(openCount).toBe(8));
    socket.resume();
    await once(socket, 'end');
    expect(answers).toContain('API_RATE_LIMITED');
    expect(openCount).toBe(8);
  });
});
