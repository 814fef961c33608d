import { describe, expect, it } from 'vitest';
import { redisTroubleOf } from '../../../src/core/redis-trouble.ts';
import { publishProblem } from '../../../src/http/problem.ts';
import { RedisUnavailableError } from '../../../src/redis/redis-unavailable.ts';

describe('trouble with Redis, as callers of the API read it', () => {
  it.each([
    "OOM command not allowed when used memory > 'maxmemory'.",
    "ERR Error running script (call to f_a1): @user_script:1: @user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.",
  ])('names what Redis itself refuses: "%s"', (text) => {
    const trouble = redisTroubleOf(new Error(text));
    expect(trouble && publishProblem(trouble)).toMatchObject({
      status: 503,
      detail: expect.stringContaining('Redis is full and rejects writes'),
    });
  });

  it('does not tell where Redis is', () => {
    const away = new RedisUnavailableError(
      'refused',
      'cannot use Redis at redis://secret.internal:6379: connection refused, no server is listening there',
      {
        advice: 'Start it.',
        cause: new Error('connect ECONNREFUSED 10.0.0.1:6379'),
      },
    );
    expect(JSON.stringify(publishProblem(away))).not.toMatch(/secret|10\.0\.0\.1/);
  });
});
