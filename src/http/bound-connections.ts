import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { MINUTE_MS } from '../core/units.ts';

/** How often the log says that connections are refused (ms). */
const WARN_EVERY_MS = MINUTE_MS;

/**
 * Keeps a server from holding more connections than it may. Over the limit, the connection makes room that has waited
 * longest without a whole request, so nobody can shut others out by silence, or by requests that never end. When all of
 * them are at work, a new one is refused.
 */
export function boundConnections(server: FastifyInstance, maxConnections: number): void {
  /** The oldest first. */
  const waiting = new Set<Socket>();
  let openCount = 0;
  let warnedAt = Number.NEGATIVE_INFINITY;

  function refuse(socket: Socket): void {
    socket.destroy();
    if (performance.now() - warnedAt < WARN_EVERY_MS) return;
    warnedAt = performance.now();
    server.log.warn({ maxConnections }, 'connection refused: MAX_CONNECTIONS are open, and all of them are at work');
  }

  server.server.on('connection', (socket: Socket) => {
    openCount += 1;
    socket.once('close', () => {
      openCount -= 1;
      waiting.delete(socket);
    });
    const [oldest] = waiting;
    waiting.add(socket);
    if (openCount <= maxConnections) return;
    if (oldest === undefined) return refuse(socket);
    waiting.delete(oldest);
    oldest.destroy();
  });
  server.server.on('request', ({ socket }, response) => {
    response.once('close', () => {
      if (!socket.destroyed) waiting.add(socket);
    });
  });
  // Here the body has arrived.
  server.addHook('preValidation', async ({ raw: { socket } }) => void waiting.delete(socket));
}
