import { expect, it, onTestFinished } from 'vitest';
import { ACCOUNT_HOLD_LUA, readAccountHold } from '../../../src/accounts/account-hold.ts';
import { createAccountVault } from '../../../src/accounts/vault.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { prepareScript } from '../../../src/redis/lua-script.ts';
import { createSealer } from '../../../src/sealing/sealer.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

it('an account says to scripts and to readers alike why it holds its jobs back', async () => {
  const redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
  onTestFinished(() => closeRedis(redis));
  const keys = createKeys(freshPrefix());
  const vault = createAccountVault({ redis, keys, sealer: createSealer([Buffer.alloc(32, 1)]) });
  const run = prepareScript(redis, `${ACCOUNT_HOLD_LUA} return accountHold(KEYS[1], KEYS[2])`);
  const hold = async () => [
    await readAccountHold(redis, keys, 'acme'),
    (await run([keys.account('acme'), keys.publishingPause], [])) ?? undefined,
  ];

  expect(await hold()).toEqual([undefined, undefined]);
  await vault.add({ account: 'acme', openId: 'open-id-acme', accessToken: 'act.1' });
  expect(await hold()).toEqual([undefined, undefined]);
  await vault.markReauthorizationRequired('acme', { reason: 'refused' });
  expect(await hold()).toEqual(['reauthorization', 'reauthorization']);
  await vault.pause('acme');
  expect(await hold()).toEqual(['account_paused', 'account_paused']);
  // A pause of all publishing is not the account's, and comes first.
  await redis.set(keys.publishingPause, '{}');
  expect(await hold()).toEqual(['account_paused', 'publishing_paused']);
});
