import { describe, expect, it } from 'vitest';
import { redisCodeOf } from '../../../src/core/redis-code.ts';
import { redisRefusalOf, redisTroubleOf } from '../../../src/core/redis-trouble.ts';

/** What versions of Redis really answered. */
const RECORDED: readonly (readonly [version: string, text: string, code: string])[] = [
  ['6.2', "READONLY You can't write against a read only replica.", 'READONLY'],
  [
    '6.2',
    "ERR Error running script (call to f_a1b2): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.",
    'READONLY',
  ],
  [
    '7.0',
    "READONLY You can't write against a read only replica. script: 0523826e14637c1cc9153c8506277da7a8456298, on @user_script:1.",
    'READONLY',
  ],
  ['7.4', 'ERR Can not run script with write flag on readonly replica.', 'READONLY'],
  ['6.2', 'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)', 'UNBLOCKED'],
  ['6.2', 'LOADING Redis is loading the dataset in memory', 'LOADING'],
  ['Valkey 8', 'LOADING Valkey is loading the dataset in memory', 'LOADING'],
  [
    '6.2',
    "ERR Error running script (call to f_a1b2): @user_script:1: @user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.",
    'OOM',
  ],
  ['7.0', "OOM command not allowed when used memory > 'maxmemory'. script: 05238, on @user_script:1.", 'OOM'],
  ['7.0', "EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.", 'OOM'],
  [
    '6.2',
    'ERR Error running script (call to f_a1b2): @user_script:1: @user_script: 1: -MISCONF Errors writing to the AOF file: No space left on device',
    'MISCONF',
  ],
  [
    '7.4',
    'MISCONF Redis is configured to save RDB snapshots, but it’s currently unable to persist to disk.',
    'MISCONF',
  ],
  ['7.0', 'MOVED 8725 127.0.0.1:7000', 'MOVED'],
  ['7.0', 'NOREPLICAS Not enough good replicas to write.', 'NOREPLICAS'],
  [
    '6.2',
    'ERR Error running script (call to f_a1b2): @user_script:1: @user_script: 1: -NOREPLICAS Not enough good replicas to write.',
    'NOREPLICAS',
  ],
  ['7.0', "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'MASTERDOWN'],
  ['7.0', 'CLUSTERDOWN Hash slot not served', 'CLUSTERDOWN'],
  ['7.4', 'CLUSTERDOWN The cluster is down and only accepts read commands', 'CLUSTERDOWN'],
  ['7.0', 'TRYAGAIN Multiple keys request during rehashing of slot', 'TRYAGAIN'],
  ['6.2', 'NOSCRIPT No matching script. Please use EVAL.', 'NOSCRIPT'],
  ['7.0', 'NOAUTH Authentication required.', 'NOAUTH'],
  ['7.4', 'NOAUTH HELLO must be called with the client already authenticated', 'NOAUTH'],
  ['6.2', 'WRONGPASS invalid username-password pair or user is disabled.', 'WRONGPASS'],
  ['5.0', 'ERR invalid password', 'WRONGPASS'],
  ['6.2', "NOPERM this user has no permissions to run the 'info' command or its subcommand", 'NOPERM'],
  ['7.0', "NOPERM this user has no permissions to run the 'client|list' command", 'NOPERM'],
  ['7.4', "NOPERM User app has no permissions to run the 'info' command", 'NOPERM'],
  ['7.4', 'NOPERM No permissions to access a key', 'NOPERM'],
  ['6.2', "ERR The user executing the script can't run this command or subcommand", 'NOPERM'],
  [
    '7.0',
    "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
    'NOPERM',
  ],
  ['7.4', "ERR ACL failure in script: User app has no permissions to run the 'zadd' command", 'NOPERM'],
  [
    '7.0',
    "EXECABORT Transaction discarded because of: NOPERM this user has no permissions to run the 'exec' command",
    'NOPERM',
  ],
  ['7.0', 'ERR max number of clients reached', 'MAXCLIENTS'],
  ['7.4', 'ERR max number of clients + cluster connections reached', 'MAXCLIENTS'],
  [
    'ioredis',
    'All sentinels are unreachable. Retrying from scratch after 10ms. Last error: NOAUTH Authentication required.',
    'NOAUTH',
  ],
];

describe("Redis's code", () => {
  it.each(RECORDED)('of %s is found in "%s"', (_, text, code) => {
    expect(redisCodeOf(new Error(text))).toBe(code);
  });

  it('is found in the error of the node that a cluster tried last', () => {
    const lastNodeError = new Error('LOADING Redis is loading the dataset in memory');
    expect(redisCodeOf(Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError }))).toBe('LOADING');
  });

  it('is not seen where a word only looks like one', () => {
    const others = [
      "ERR unknown command 'OOM', with args beginning with:",
      'ERR value is not an integer or out of range',
      'a video named READONLY cannot be read',
      'ASK 1234 127.0.0.1:7000',
    ];
    expect(others.map((text) => redisCodeOf(new Error(text)))).toEqual([undefined, undefined, undefined, undefined]);
    expect(redisCodeOf('OOM')).toBeUndefined();
  });
});

describe('a refusal', () => {
  it.each(RECORDED.filter(([, , code]) => code !== 'NOSCRIPT'))('of %s, "%s", is told in words of ours', (_, text) => {
    const error = new Error(text);
    expect(redisTroubleOf(error)).toMatchObject({ code: 'REDIS_UNAVAILABLE', message: redisRefusalOf(error) });
  });

  it('of a cluster that found no way is trouble with Redis, too', () => {
    const error = new Error('Too many Cluster redirections. Last error: Error: Connection is closed.');
    expect(redisTroubleOf(error)).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
  });
});
