import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import fastify from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import type { Caller } from '../../../src/core/access.ts';
import { problemOf, sendProblem } from '../../../src/http/problem.ts';
import { boundLists } from '../../../src/http/v1/bound-lists.ts';
import { eventually } from '../../support/eventually.ts';

/** More than the buffers of a connection hold. */
const PAGE = 'x'.repeat(20_000_000);

async function startLists() {
  const made: string[] = [];
  const server = fastify();
  server.decorateRequest('caller');
  server.addHook('onRequest', async (request) => {
    request.caller = { by: String(request.headers.from) } as Caller;
  });
  server.setErrorHandler(async (error, _request, reply) => await sendProblem(reply, problemOf(error)));
  boundLists(server);
  server.get('/list', async ({ caller }) => {
    made.push(caller?.by ?? '');
    return PAGE;
  });
  server.get('/list/:id', async () => 'one');
  const agent = new Agent({ maxSockets: 300 });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    agent.destroy();
    await server.close();
  });
  const ask = async (from: string, path = '/list'): Promise<IncomingMessage> => {
    const [response] = await once(get(`${url}${path}`, { agent, headers: { from } }), 'response');
    return response;
  };
  return { made, ask };
}

it('lists of a caller who takes none are made few at a time, and hold up nobody else', async () => {
  const { made, ask } = await startLists();
  const asked = Array.from({ length: 120 }, () => ask('greedy'));
  const refusals = asked.map(async (answer) => {
    const { statusCode } = await answer;
    if (statusCode !== 429) throw new Error('it is answered');
    return await text(await answer);
  });
  expect(await Promise.any(refusals)).toContain('lists wait for their answer');
  expect(made).toHaveLength(8);
  expect(await text(await ask('greedy', '/list/one'))).toBe('one');
  expect((await text(await ask('another'))).length).toBe(PAGE.length);
  expect(made.filter((by) => by === 'greedy')).toHaveLength(8);
  // Who takes some, or leaves, gets others.
  const answers = await Promise.all(asked.slice(0, 2));
  answers[0]?.resume();
  answers[1]?.destroy();
  await eventually(() => made.filter((by) => by === 'greedy').length === 10);
  for (const answer of asked) answer.then((response) => response.destroy()).catch(() => undefined);
});
