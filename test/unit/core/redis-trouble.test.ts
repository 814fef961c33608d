import { describe, expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import { loggedTrouble, redisTroubleOf } from '../../../src/core/redis-trouble.ts';

describe('trouble with Redis', () => {
  it.each([
    ['Connection is closed.'],
    ["Stream isn't writeable and enableOfflineQueue options is false"],
    ['Reached the max retries per request limit (which is 10). Refer to "maxRetriesPerRequest" option for details.'],
    ['Failed to refresh slots cache.'],
    ["OOM command not allowed when used memory > 'maxmemory'."],
    ['LOADING Redis is loading the dataset in memory'],
  ])('is seen in "%s"', (message) => {
    const cause = new Error(message);
    expect(redisTroubleOf(cause)).toMatchObject({ code: 'REDIS_UNAVAILABLE', cause });
  });

  it('says why a Redis that answers refuses', () => {
    const refusal = redisTroubleOf(new Error('MISCONF Redis is configured to save RDB snapshots'));
    expect(refusal?.message).toBe('Redis cannot write to its disk and rejects writes');
  });

  it.each([
    ["NOPERM this user has no permissions to run the 'xadd' command", 'XADD'],
    ["ERR ACL failure in script: User app has no permissions to run the 'zadd' command", 'ZADD'],
    ['NOPERM this user has no permissions to access one of the keys used as arguments', 'a required command or key'],
  ])('names the permission that is missing in "%s"', (text, name) => {
    expect(redisTroubleOf(new Error(text))?.message).toBe(`the ACL of our Redis user denies ${name}`);
  });

  it('is kept when it has been told already, and is not seen in anything else', () => {
    const told = new PublishError('REDIS_UNAVAILABLE');
    expect(redisTroubleOf(told)).toBe(told);
    const others = [
      new PublishError('JOB_NOT_FOUND'),
      new TypeError('x is not a function'),
      new Error('ERR no'),
      'OOM',
    ];
    expect(others.map(redisTroubleOf)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('is logged in its words or those of its cause, anything else with its stack', () => {
    const closed = new Error('Connection is closed.');
    const reason = 'Redis cannot be reached: Connection is closed.';
    expect(loggedTrouble(closed)).toEqual({ code: 'REDIS_UNAVAILABLE', reason });
    const unproven = new PublishError('REDIS_NOT_REPLICATED', { reason: '0 of 1 replicas' });
    expect(loggedTrouble(unproven)).toEqual({ code: 'REDIS_NOT_REPLICATED', reason: '0 of 1 replicas' });
    expect(loggedTrouble(new TypeError('x'))).toMatchObject({ err: { code: 'INTERNAL_ERROR' } });
  });

  it('is logged without a word about options of ioredis', () => {
    const error = new Error('Reached the max retries per request limit (which is 10). Refer to "maxRetriesPerRequest"');
    expect(loggedTrouble(error)).toEqual({ code: 'REDIS_UNAVAILABLE', reason: 'Redis cannot be reached' });
  });

  it('does not say that sentinels are away where only the master that they name is', () => {
    const error = new Error('All sentinels are unreachable. Retrying from scratch after 10ms.');
    expect(loggedTrouble(error)).toMatchObject({
      reason: expect.stringContaining('no sentinel reports a reachable master'),
    });
  });
});
