import fastify from 'fastify';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import { answerWithProblems } from '../../../src/http/problem.ts';

/** What is logged of a request that fails with an error. */
async function loggedOf(error: Error): Promise<unknown[]> {
  const lines: unknown[] = [];
  const server = fastify();
  answerWithProblems(server, pino({ base: null }, { write: (text: string) => void lines.push(JSON.parse(text)) }), '');
  server.post('/v1/publishes', () => Promise.reject(error));
  await server.inject({ method: 'POST', url: '/v1/publishes?code=secret' });
  await server.close();
  return lines;
}

describe('the log of a request that failed', () => {
  it.each([
    [
      'REDIS_NOT_REPLICATED',
      new PublishError('REDIS_NOT_REPLICATED', { reason: '0 of 1 replicas' }),
      '0 of 1 replicas',
    ],
    [
      'REDIS_UNAVAILABLE',
      new PublishError('REDIS_UNAVAILABLE', {}, { cause: new Error('Connection is closed.') }),
      'Redis cannot be reached: Connection is closed.',
    ],
  ])('is one warning without a stack for %s', async (code, error, reason) => {
    const facts = { method: 'POST', path: '/v1/publishes', code, reason, msg: 'request refused' };
    expect(await loggedOf(error)).toEqual([{ level: 40, time: expect.any(Number), ...facts }]);
  });

  it('is an error with its stack for what nobody foresaw', async () => {
    const err = expect.objectContaining({ stack: expect.any(String) });
    expect(await loggedOf(new TypeError('x'))).toMatchObject([{ level: 50, msg: 'request failed', err }]);
  });
});
