import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Has a server that closes drop the connections on which nothing is asked: those on which nothing was asked yet, as browsers
 * and HTTP clients open them in advance, and those whose answer was still under way when it began to close. Node would wait
 * for a minute for either.
 */
export function dropUnusedConnections(server: FastifyInstance): void {
  const unused = new Set<Socket>();
  server.server.on('connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  let isClosing = false;
  server.server.on('request', ({ socket }, response) => {
    unused.delete(socket);
    response.once('close', () => {
      if (isClosing) setImmediate(() => server.server.closeIdleConnections());
    });
  });
  server.addHook('preClose', async () => {
    isClosing = true;
    for (const socket of unused) socket.destroy();
  });
}
