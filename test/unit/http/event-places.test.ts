import { EventEmitter, once } from 'node:events';
import { request } from 'node:http';
import { fastify } from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { registerEventRoutes } from '../../../src/http/v1/event-routes.ts';
import type { ApiTypes } from '../../../src/http/v1/typed-routes.ts';
import type { Publisher } from '../../../src/producers/publisher.ts';
import { eventually } from '../../support/eventually.ts';

/** A server whose streams begin when they are let, with place for one. */
async function start() {
  const gate = new EventEmitter();
  const signals: AbortSignal[] = [];
  const publisher: Pick<Publisher, 'events' | 'get'> = {
    async get() {
      gate.emit('asked');
      await once(gate, 'open');
      // The job itself is not looked at.
      return {} as Awaited<ReturnType<Publisher['get']>>;
    },
    events({ signal } = {}) {
      if (signal !== undefined) signals.push(signal);
      const end = async () => ({ done: true, value: undefined }) as const;
      return {
        ...{ started: new Promise(() => undefined), cursor: '0', next: end, return: end },
        nextPage: async () => [],
        [Symbol.asyncIterator]() {
          return this;
        },
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
  const server = fastify();
  onTestFinished(() => server.close());
  server.setValidatorCompiler(() => (value) => ({ value }));
  server.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  // As the guard leaves a request behind.
  server.addHook('onRequest', async (request) => {
    Object.assign(request, { caller: { by: 'this test', scopes: ['admin'] }, publisher });
  });
  const keys = { find: async () => undefined };
  registerEventRoutes(server.withTypeProvider<ApiTypes>(), { keys, maxEventStreams: 1, maxEventStreamsPerKey: 1 });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  return { url, gate, signals, server };
}

it('a client that leaves before its stream begins takes no place', async () => {
  const { url, gate, signals, server } = await start();
  for (let count = 1; count <= 3; count += 1) {
    const asked = once(gate, 'asked');
    const left = once(server.server, 'connection').then(([socket]) => once(socket, 'close'));
    const client = request(`${url}/v1/publishes/1/events`, { agent: false }).on('error', () => undefined);
    client.end();
    await asked;
    client.destroy();
    await left;
    gate.emit('open');
    // Its place was free, and whatever was begun for it has ended.
    await eventually(() => expect(signals.map(({ aborted }) => aborted)).toEqual(Array(count).fill(true)));
  }
});
