import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { createHeldAccounts } from '../../../src/accounts/held-accounts.ts';
import { createAccountVault } from '../../../src/accounts/vault.ts';
import { newRecord } from '../../../src/ledger/change.ts';
import { createLedger } from '../../../src/ledger/ledger.ts';
import { createLedgerReader } from '../../../src/ledger/ledger-reader.ts';
import { createLanes } from '../../../src/limits/lanes.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { createSealer } from '../../../src/sealing/sealer.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

/** A vault of accounts, of two jobs each: one has its turn, the other waits. */
async function open(...accounts: readonly string[]) {
  const redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
  onTestFinished(() => closeRedis(redis));
  const keys = createKeys(freshPrefix());
  const parts = { redis, keys, clock: Date };
  const vault = createAccountVault({ ...parts, sealer: createSealer([randomBytes(32)]) });
  const ledger = createLedger(parts);
  for (const account of accounts) {
    await vault.add({ account, openId: `open-id-${account}`, accessToken: 'token' });
    for (const n of [1, 2]) {
      const request = { account, mode: 'inbox', media: { type: 'file', path: '/a.mp4' } } as const;
      await ledger.create(newRecord({ id: `${account}-${n}`, request, now: Date.now() }), { event: 'queued' });
    }
  }
  const held = createHeldAccounts(parts);
  const { count } = createLedgerReader(parts);
  const heldBack = async () => (await vault.list({ held: true })).map(({ account }) => account);
  return { redis, keys, vault, held, lanes: createLanes(parts), count, heldBack };
}

it('an account is held from its pause, or from the need to connect it again, until that is over', async () => {
  const { vault, held, count, heldBack } = await open('acme', 'cafe', 'shop');
  await vault.pause('cafe');
  await vault.markReauthorizationRequired('shop', { reason: 'expired' });
  expect(await heldBack()).toEqual(['cafe', 'shop']);
  expect((await count()).waitingFor).toEqual({ turn: 1, account_paused: 1, reauthorization: 1 });
  await vault.resume('cafe');
  await vault.remove('shop');
  expect(await heldBack()).toEqual([]);
  expect((await count()).waitingFor).toEqual({ turn: 3 });
  // Counting has cleared up.
  expect(await held.names()).toEqual([]);
});

it('a lane that a limit delays is counted so until the delay is gone', async () => {
  const { redis, keys, lanes, held, count } = await open('acme', 'cafe');
  await lanes.showDelay('acme', { reason: 'rate_limit', until: Date.now() + 60_000 });
  expect((await count()).waitingFor).toEqual({ turn: 1, rate_limit: 1 });
  await redis.del(keys.laneDelay('acme'));
  expect((await count()).waitingFor).toEqual({ turn: 2 });
  expect(await held.names()).toEqual([]);
});

it('what a process of an older version holds is noted when a worker starts, and by the check of lanes', async () => {
  const { redis, keys, lanes, held, heldBack } = await open('acme', 'cafe', 'shop');
  await redis.hset(keys.account('cafe'), { pausedAt: 1 });
  await redis.hset(keys.laneDelay('shop'), { reason: 'rate_limit', until: '' });
  expect(await held.names()).toEqual([]);
  await held.noteAll();
  expect(await heldBack()).toEqual(['cafe']);
  await redis.zadd(keys.lanes, 'XX', 0, 'acme', 0, 'cafe', 0, 'shop');
  await lanes.check(10);
  expect((await held.names()).sort()).toEqual(['cafe', 'shop']);
});
