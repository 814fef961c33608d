import { describe, expect, it } from 'vitest';
import { describeError, renderCliError } from '../../../src/cli/cli-error.ts';
import { ConfigError } from '../../../src/config/config-error.ts';
import { ERROR_TABLE, isErrorCode } from '../../../src/core/error-table.ts';
import { PublishError } from '../../../src/core/publish-error.ts';
import { RedisUnavailableError } from '../../../src/redis/redis-unavailable.ts';

describe('errors on the command line', () => {
  it.each([
    ['INPUT_MEDIA_EMPTY', 2],
    ['IDEMPOTENCY_CONFLICT', 2],
    ['JOB_NOT_FOUND', 2],
    ['CONFIG_PORT_TAKEN', 3],
    ['REDIS_UNAVAILABLE', 3],
    ['INTERNAL_ERROR', 1],
  ] as const)('%s exits with %d', (code, exitCode) => {
    expect(describeError(new PublishError(code)).exitCode).toBe(exitCode);
  });

  it('of every code say what to do', () => {
    for (const code of Object.keys(ERROR_TABLE).filter(isErrorCode)) {
      expect(describeError(new PublishError(code)).advice.length, code).toBeGreaterThan(10);
    }
  });

  it('show each problem once, with the field it is about', () => {
    const problems = [{ path: '--title', message: 'too long' }];
    const described = describeError(new PublishError('INPUT_INVALID', { problems }));
    expect(described).toMatchObject({ message: 'the input is not valid', problems });
    expect(renderCliError(described).match(/too long/g)).toHaveLength(1);
  });

  it('list every wrong setting', () => {
    const described = describeError(new ConfigError([{ variable: 'PORT', message: 'expected a number' }]));
    expect(described).toMatchObject({
      exitCode: 3,
      code: 'CONFIG_INVALID',
      problems: [{ path: 'PORT', message: 'expected a number' }],
    });
    expect(renderCliError(described)).toContain('  - PORT: expected a number');
  });

  it('carry the advice of a Redis that cannot be reached', () => {
    const error = new RedisUnavailableError('refused', 'nothing listens', { advice: 'Start it.' });
    expect(describeError(error)).toMatchObject({ exitCode: 3, code: 'REDIS_UNAVAILABLE', advice: 'Start it.' });
  });

  it('that nobody foresaw say how to find out more, in one line', () => {
    const described = describeError(new TypeError('x is not a function\n  at secret.js'));
    expect(described).toMatchObject({ exitCode: 1, code: 'INTERNAL_ERROR' });
    expect(described.message).not.toContain('secret.js');
    expect(described.advice).toContain('LOG_LEVEL=debug');
  });
});
