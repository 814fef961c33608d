import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Has every answer of a connection end with it. A client may ask again before it has taken an answer; Node tells only the
 * answer at the front that the client has left, and the others would keep their files and places for ever.
 */
export function endQueuedAnswers(server: FastifyInstance): void {
  const queues = new WeakMap<Socket, Set<ServerResponse>>();
  server.server.on('request', ({ socket }, answer) => {
    const queue = queues.get(socket) ?? queueOf(socket);
    queues.set(socket, queue);
    queue.add(answer);
    answer.once('close', () => queue.delete(answer));
  });
}

function queueOf(socket: Socket): Set<ServerResponse> {
  const queue = new Set<ServerResponse>();
  // Node has told the one at the front by then.
  socket.once('close', () => setImmediate(() => queue.forEach(end)));
  return queue;
}

/** Node ends an answer whose connection is gone, so it is given one. */
function end(answer: ServerResponse): void {
  answer.assignSocket(new Socket().destroy());
}
