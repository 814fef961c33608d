import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AccountVault, createAccountVault } from '../../../src/accounts/vault.ts';
import { type AccountState, rekeyAccounts, surveyAccounts } from '../../../src/accounts/vault-survey.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys, type Keys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { endOldForm, isOldFormInUse, publishSealingKey } from '../../../src/sealing/published-key.ts';
import { createRequestSecrets } from '../../../src/sealing/request-box.ts';
import { createSealer } from '../../../src/sealing/sealer.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';
import { rejection } from '../../support/rejection.ts';
import { oldValues } from '../../support/sealed-before-0-2.ts';

const [oldKey, newKey, lostKey] = [randomBytes(32), randomBytes(32), randomBytes(32)];

let redis: RedisClient;
let keys: Keys;

beforeAll(async () => {
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
});
afterAll(() => closeRedis(redis));
beforeEach(() => {
  keys = createKeys(freshPrefix());
});

const vaultWith = (...sealedBy: Buffer[]): AccountVault =>
  createAccountVault({ redis, keys, sealer: createSealer(sealedBy) });

async function add(vault: AccountVault, account: string) {
  const tokens = { accessToken: `act.${account}`, refreshToken: `rft.${account}`, expiresInSeconds: 7_200 };
  await vault.add({ account, openId: `open-id-${account}`, ...tokens });
}

async function survey(...sealedBy: Buffer[]): Promise<Record<string, AccountState['tokens'] | string>> {
  const states: [string, string][] = [];
  for await (const { account, tokens, error } of surveyAccounts({ redis, keys, sealer: createSealer(sealedBy) })) {
    states.push([account, error?.code ?? tokens]);
  }
  return Object.fromEntries(states);
}

describe('rekeying', () => {
  it('seals every token with the first key, so that the older one can be dropped', async () => {
    const names = Array.from({ length: 450 }, (_, index) => `account-${index}`);
    await Promise.all(names.slice(1).map((name) => add(vaultWith(oldKey), name)));
    await add(vaultWith(newKey), 'account-0');
    await vaultWith(oldKey).saveFallbackRefreshToken('account-7', 'rft.fallback');
    const sealer = createSealer([newKey, oldKey]);
    expect(Object.values(await survey(newKey, oldKey)).filter((tokens) => tokens === 'old_key')).toHaveLength(449);

    const report = await rekeyAccounts({ redis, keys, sealer });
    expect(report).toMatchObject({ currentCount: 1, unreadable: [] });
    expect(report.resealed.toSorted()).toEqual(names.slice(1).toSorted());

    const withoutOld = vaultWith(newKey);
    const tokens = await Promise.all(names.map((name) => withoutOld.loadTokens(name)));
    expect(tokens.map(({ accessToken }) => accessToken)).toEqual(names.map((name) => `act.${name}`));
    expect(tokens[7]?.refreshTokens).toEqual(['rft.account-7', 'rft.fallback']);
    expect(await rekeyAccounts({ redis, keys, sealer })).toEqual({ resealed: [], currentCount: 450, unreadable: [] });
  });

  it('overwrites no tokens that are refreshed meanwhile', async () => {
    const vault = vaultWith(oldKey, newKey);
    await add(vault, 'acme');
    const { version } = await vault.loadTokens('acme');
    const refreshing = (async () => {
      let expectedVersion = version;
      // Fewer than the tries that rekeying has, so that it can't lose them all.
      for (let round = 1; round <= 15; round++) {
        await vault.saveTokens(
          'acme',
          { accessToken: `act.${round}`, refreshToken: `rft.${round}` },
          { expectedVersion },
        );
        expectedVersion = (await vault.loadTokens('acme')).version;
      }
    })();
    const sealer = createSealer([newKey, oldKey]);
    for (let round = 0; round < 30; round++) await rekeyAccounts({ redis, keys, sealer });
    await refreshing;
    const { accessToken, refreshTokens } = await vaultWith(newKey, oldKey).loadTokens('acme');
    expect([accessToken, ...refreshTokens]).toEqual(['act.15', 'rft.15', 'rft.14']);
  });

  it('names what it cannot open, and goes on with the rest', async () => {
    await add(vaultWith(lostKey), 'lost');
    await add(vaultWith(oldKey), 'tampered');
    await add(vaultWith(oldKey), 'acme');
    const sealed = (await redis.hget(keys.account('tampered'), 'accessToken')) ?? '';
    await redis.hset(keys.account('tampered'), 'accessToken', `${sealed.slice(0, -2)}AA`);
    const { unreadable, resealed } = await rekeyAccounts({ redis, keys, sealer: createSealer([newKey, oldKey]) });
    expect(resealed).toEqual(['acme']);
    expect(unreadable).toMatchObject([
      {
        account: 'lost',
        code: 'CONFIG_KEY_UNKNOWN',
        message: expect.stringContaining('ENCRYPTION_KEYS does not contain key'),
      },
      { account: 'tampered', code: 'INTERNAL_TAMPERED', message: expect.stringContaining('account:tampered:access') },
    ]);
    expect(JSON.stringify(unreadable)).not.toMatch(/act\.|rft\./);
  });
});

describe('a vault that somebody meddled with', () => {
  /** Each leaves the account "meddled" in another wrong state. */
  const MEDDLING: readonly [string, (hash: string, other: string) => Promise<unknown>][] = [
    ['a changed token', (hash) => redis.hset(hash, 'refreshToken', 'v1.00000000.AAAAAAAAAAAAAAAA.AAAA')],
    ['a token in the clear', (hash) => redis.hset(hash, 'accessToken', 'act.in-the-clear')],
    [
      "another account's token",
      async (hash, other) => redis.hset(hash, 'accessToken', (await redis.hget(other, 'accessToken')) ?? ''),
    ],
    [
      'a refresh token in the place of the access token',
      async (hash) => redis.hset(hash, 'accessToken', (await redis.hget(hash, 'refreshToken')) ?? ''),
    ],
    ['no access token', (hash) => redis.hdel(hash, 'accessToken')],
    ['a time that is none', (hash) => redis.hset(hash, 'addedAt', 'yesterday')],
    ['nothing left of it', (hash) => redis.del(hash)],
  ];

  it.each(MEDDLING)('with %s is told of, and leaves the rest working', async (_, meddle) => {
    const vault = vaultWith(oldKey);
    await add(vault, 'meddled');
    await add(vault, 'acme');
    await meddle(keys.account('meddled'), keys.account('acme'));
    expect(await survey(oldKey)).toEqual({ meddled: 'INTERNAL_TAMPERED', acme: 'current_key' });
    expect((await vault.list()).map(({ account }) => account)).toContain('acme');
    expect((await vault.loadTokens('acme')).accessToken).toBe('act.acme');
  });

  it('is mended by connecting the account again', async () => {
    const vault = vaultWith(oldKey);
    await add(vault, 'meddled');
    await redis.hset(keys.account('meddled'), { accessToken: 'x', addedAt: 'yesterday', accessTokenExpiresAt: 'soon' });
    expect((await rejection(vault.loadTokens('meddled'))).code).toBe('INTERNAL_TAMPERED');
    expect(await vault.list()).toEqual([]);
    await add(vault, 'meddled');
    expect((await vault.loadTokens('meddled')).accessToken).toBe('act.meddled');
    expect(await survey(oldKey)).toEqual({ meddled: 'current_key' });
    expect(await vault.list()).toMatchObject([{ account: 'meddled' }]);
  });
});

describe('a wrong key', () => {
  it('opens nothing, names itself, and does no harm', async () => {
    await add(vaultWith(oldKey), 'acme');
    const wrong = vaultWith(newKey);
    const error = await rejection(wrong.loadTokens('acme'));
    expect(error).toMatchObject({ code: 'CONFIG_KEY_UNKNOWN' });
    expect(error.message).toMatch(
      /ENCRYPTION_KEYS does not contain key [0-9a-f]{8}, which encrypted account:acme:access/,
    );
    expect(await wrong.list()).toMatchObject([{ account: 'acme', status: 'active' }]);
    expect(await wrong.pause('acme')).toBe(true);
    expect(await survey(newKey)).toEqual({ acme: 'CONFIG_KEY_UNKNOWN' });
    expect((await vaultWith(oldKey).loadTokens('acme')).accessToken).toBe('act.acme');
    expect(await wrong.remove('acme')).toBe(true);
  });
});

describe('an account of a version before 0.2.0', () => {
  const storeOldAccount = async () => {
    await redis.set(keys.sealingKeyBefore02, oldValues.publishedKey);
    await redis.zadd(keys.accounts, '1', 'acme');
    await redis.hset(keys.account('acme'), {
      ...{ openId: 'open-id-acme', version: '1', addedAt: '1', grantedAt: '1' },
      ...oldValues.tokens,
    });
  };
  const vaultBesideOldServices = () => {
    const sealer = createSealer([oldValues.key], () => isOldFormInUse(redis, keys));
    return { sealer, vault: createAccountVault({ redis, keys, sealer }) };
  };

  it('is read and written as that version reads it while its services may run', async () => {
    await storeOldAccount();
    const { vault } = vaultBesideOldServices();
    const { publicKeys } = createRequestSecrets([oldValues.key]);
    await publishSealingKey(redis, keys, publicKeys);
    expect(await vault.loadTokens('acme')).toMatchObject({
      accessToken: 'old-accessToken',
      refreshTokens: ['old-refreshToken', 'old-fallbackRefreshToken'],
    });
    expect(await redis.hgetall(keys.account('acme'))).toMatchObject(oldValues.tokens);
    await add(vault, 'newcomer');
    expect(await redis.hget(keys.account('newcomer'), 'accessToken')).toMatch(/^v1\./);
    expect(await redis.get(keys.sealingKeyBefore02)).toBe(oldValues.publishedKey);
  });

  it('is sealed in the present form by rekeying, which ends the old one', async () => {
    await storeOldAccount();
    const { sealer, vault } = vaultBesideOldServices();
    await endOldForm(redis, keys, createRequestSecrets([oldValues.key]).publicKeys);
    expect(await rekeyAccounts({ redis, keys, sealer })).toEqual({
      resealed: ['acme'],
      currentCount: 0,
      unreadable: [],
    });
    for (const field of ['accessToken', 'refreshToken', 'fallbackRefreshToken']) {
      expect(await redis.hget(keys.account('acme'), field)).toMatch(/^eyJ/);
    }
    expect(await vault.loadTokens('acme')).toMatchObject({
      accessToken: 'old-accessToken',
      refreshTokens: ['old-refreshToken', 'old-fallbackRefreshToken'],
    });
    expect(await rekeyAccounts({ redis, keys, sealer })).toMatchObject({ resealed: [], currentCount: 1 });
  });

  it('whose key is gone is named, and stays as it is', async () => {
    await storeOldAccount();
    await redis.hset(keys.account('acme'), oldValues.tokensOfOlderKey);
    const { sealer } = vaultBesideOldServices();
    await endOldForm(redis, keys, createRequestSecrets([oldValues.key]).publicKeys);
    const { unreadable } = await rekeyAccounts({ redis, keys, sealer });
    expect(unreadable).toMatchObject([{ account: 'acme', code: 'CONFIG_KEY_UNKNOWN' }]);
    expect(await redis.hgetall(keys.account('acme'))).toMatchObject(oldValues.tokensOfOlderKey);
  });
});
