import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { HttpProblem } from './problem.ts';

/** Of one connection. Clients that ask before they have their answer ask for few things at once. */
const MAX_UNANSWERED = 8;

/**
 * Has every answer of a connection end with it. A client may ask again before it has taken an answer; Node tells only the
 * answer at the front that the client has left, and the others would keep their files and places for ever. Beyond
 * `MAX_UNANSWERED` a request is refused, so a client that takes nothing holds few files.
 */
export function boundQueuedAnswers(server: FastifyInstance): void {
  const queues = new WeakMap<Socket, Set<ServerResponse>>();
  // Before Fastify takes the request and calls the hook.
  server.server.prependListener('request', ({ socket }, answer) => {
    const queue = queues.get(socket) ?? queueOf(socket);
    queues.set(socket, queue);
    queue.add(answer);
    answer.once('close', () => queue.delete(answer));
  });
  server.addHook('onRequest', async ({ raw: { socket } }) => {
    if ((queues.get(socket)?.size ?? 0) <= MAX_UNANSWERED) return;
    const detail = `More than ${MAX_UNANSWERED} requests on one connection wait for their answer. Take the answers first.`;
    throw new HttpProblem({ status: 429, code: 'API_RATE_LIMITED', detail });
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
