import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';

/** A client that takes nothing of its answer for so long has to make room (ms). */
const STALLED_MS = 10 * SECOND_MS;
/** How often the log says that connections are refused (ms). */
const WARN_EVERY_MS = MINUTE_MS;

/**
 * Keeps a server from holding more connections than it may. Over the limit, the connection makes room that has waited
 * longest without a whole request, so nobody can shut others out by silence, or by requests that never end; and then one
 * whose client does not take its answer. When all of them are at work, a new one is refused.
 *
 * @param stalledMs how long a client may take nothing while the server is full (ms)
 */
export function boundConnections(server: FastifyInstance, maxConnections: number, stalledMs = STALLED_MS): void {
  const open = new Map<Socket, { takenBytes: number; since: number }>();
  /** The oldest first. */
  const waiting = new Set<Socket>();
  let warnedAt = Number.NEGATIVE_INFINITY;

  function refuse(socket: Socket): void {
    socket.destroy();
    if (performance.now() - warnedAt < WARN_EVERY_MS) return;
    warnedAt = performance.now();
    server.log.warn({ maxConnections }, 'connection refused: MAX_CONNECTIONS are open, and all of them are at work');
  }

  /** A connection of which the client has taken nothing for too long, though there is something. Looks begin when it is full. */
  function findStalled(): Socket | undefined {
    const now = performance.now();
    for (const [socket, seen] of open) {
      const takenBytes = socket.bytesWritten - socket.writableLength;
      if (takenBytes !== seen.takenBytes || socket.writableLength === 0) open.set(socket, { takenBytes, since: now });
      else if (now - seen.since >= stalledMs) return socket;
    }
    return undefined;
  }

  server.server.on('connection', (socket: Socket) => {
    open.set(socket, { takenBytes: 0, since: performance.now() });
    socket.once('close', () => {
      open.delete(socket);
      waiting.delete(socket);
    });
    const [oldest] = waiting;
    waiting.add(socket);
    if (open.size <= maxConnections) return;
    const unneeded = oldest ?? findStalled();
    if (unneeded === undefined) return refuse(socket);
    waiting.delete(unneeded);
    unneeded.destroy();
  });
  server.server.on('request', ({ socket }, response) => {
    response.once('close', () => {
      if (!socket.destroyed) waiting.add(socket);
    });
  });
  // Here the body has arrived.
  server.addHook('preValidation', async ({ raw: { socket } }) => void waiting.delete(socket));
}
