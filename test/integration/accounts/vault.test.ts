import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AccountVault, createAccountVault } from '../../../src/accounts/vault.ts';
import { PublishError } from '../../../src/core/publish-error.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys, type Keys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { createSealer } from '../../../src/sealing/sealer.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const clock = { now: () => NOW };
const key = randomBytes(32);

let redis: RedisClient;
let keys: Keys;
let vault: AccountVault;

beforeAll(async () => {
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
});
afterAll(() => closeRedis(redis));
beforeEach(() => {
  keys = createKeys(freshPrefix());
  vault = createAccountVault({ redis, keys, sealer: createSealer([key]), clock });
});

const acme = {
  account: 'acme',
  openId: 'open-id-1',
  accessToken: 'act.planted-1',
  expiresInSeconds: 7_200,
  refreshToken: 'rft.planted-1',
  refreshExpiresInSeconds: 15_552_000,
  scope: 'video.publish',
};
const grant = { accessToken: 'act.planted-2', expiresInSeconds: 7_200, refreshToken: 'rft.planted-2' };

async function refusal(action: Promise<unknown>): Promise<PublishError> {
  const error = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof PublishError)) throw new Error('expected a PublishError', { cause: error });
  return error;
}

describe('account vault', () => {
  it('shows an account by name and by open_id, without its tokens', async () => {
    const added = await vault.add(acme);
    expect(added).toEqual({
      account: 'acme',
      openId: 'open-id-1',
      scope: 'video.publish',
      addedAt: '2026-11-22T12:00:00.000Z',
      accessTokenExpiresAt: '2026-11-22T14:00:00.000Z',
      refreshTokenExpiresAt: '2027-05-21T12:00:00.000Z',
      status: 'active',
      pauseCode: null,
      clientKey: null,
      otherApp: false,
    });
    expect(await vault.get('acme')).toEqual(added);
    expect(await vault.get('open-id-1')).toEqual(added);
    expect(await vault.list()).toEqual([added]);
    expect(await vault.resolve('open-id-1')).toBe('acme');
    expect((await vault.loadTokens('open-id-1')).account).toBe('acme');
  });

  it('keeps every token sealed, and opens them again', async () => {
    await vault.add(acme);
    await vault.saveTokens('acme', grant, { expectedVersion: (await vault.loadTokens('acme')).version });
    const stored = JSON.stringify(await redis.hgetall(keys.account('acme')));
    expect(stored).not.toContain('planted');
    expect(await vault.loadTokens('acme')).toMatchObject({
      accessToken: 'act.planted-2',
      refreshTokens: ['rft.planted-2', 'rft.planted-1'],
    });
  });

  it('refuses a token that was moved from another account', async () => {
    await vault.add(acme);
    await vault.add({ ...acme, account: 'other', openId: 'open-id-2', accessToken: 'act.other' });
    const foreign = await redis.hget(keys.account('other'), 'accessToken');
    await redis.hset(keys.account('acme'), { accessToken: foreign ?? '' });
    expect((await refusal(vault.loadTokens('acme'))).code).toBe('INTERNAL_TAMPERED');
  });

  it('needs nothing but an access token', async () => {
    const added = await vault.add({ account: 'bare', openId: 'bare', accessToken: 'act.1' });
    expect(added).toMatchObject({ scope: null, accessTokenExpiresAt: null, refreshTokenExpiresAt: null });
    expect(await vault.loadTokens('bare')).toMatchObject({ accessTokenExpiresAt: undefined, refreshTokens: [] });
    expect(await vault.remove('bare')).toBe(true);
    expect(await vault.list()).toEqual([]);
  });

  it('replaces everything when an account is connected again, and ends a needed reauthorization', async () => {
    await vault.add(acme);
    const before = await vault.loadTokens('acme');
    await vault.markReauthorizationRequired('acme', { reason: 'refused' });
    expect((await vault.get('acme'))?.status).toBe('reauthorization_required');
    await vault.add({ account: 'acme', openId: 'open-id-1', accessToken: 'act.new' });
    expect(await vault.get('acme')).toMatchObject({ status: 'active', accessTokenExpiresAt: null });
    const after = await vault.loadTokens('acme');
    expect(after).toMatchObject({ accessToken: 'act.new', refreshTokens: [], reauthorizationReason: undefined });
    expect(after.version).not.toBe(before.version);
  });

  it('never lets one name stand for two TikTok users, nor two names for one', async () => {
    await vault.add(acme);
    const otherUser = await refusal(vault.add({ ...acme, openId: 'open-id-2', accessToken: 'act.2' }));
    expect(otherUser.message).toContain('open-id-1');
    const otherName = await refusal(vault.add({ ...acme, account: 'acme-2' }));
    expect(otherName.message).toContain('"acme"');
    const nameIsOpenId = await refusal(vault.add({ ...acme, account: 'open-id-1', openId: 'open-id-3' }));
    expect(nameIsOpenId.message).toContain('"acme"');
    const openIdIsName = await refusal(vault.add({ ...acme, account: 'acme-4', openId: 'acme' }));
    expect(openIdIsName.message).toContain('"acme"');
    expect([otherUser, otherName, nameIsOpenId, openIdIsName].map(({ code }) => code)).toEqual(
      Array(4).fill('INPUT_INVALID'),
    );
    expect((await vault.list()).map(({ account }) => account)).toEqual(['acme']);
    expect((await vault.loadTokens('acme')).accessToken).toBe('act.planted-1');
  });

  it('forgets an account completely, so that its name and open_id are free again', async () => {
    await vault.add(acme);
    expect(await vault.remove('open-id-1')).toBe(true);
    expect(await vault.remove('acme')).toBe(false);
    expect(await vault.get('acme')).toBeUndefined();
    expect((await refusal(vault.resolve('open-id-1'))).code).toBe('INPUT_ACCOUNT_UNKNOWN');
    expect((await refusal(vault.loadTokens('acme'))).code).toBe('INPUT_ACCOUNT_UNKNOWN');
    expect(await redis.keys(`${keys.prefix}*`)).toEqual([keys.events]);
    expect(await vault.add({ ...acme, account: 'other' })).toMatchObject({ account: 'other' });
  });

  it('keeps a pause across a new connection', async () => {
    await vault.add(acme);
    expect(await vault.pause('open-id-1')).toBe(true);
    await vault.add(acme);
    expect((await vault.get('acme'))?.status).toBe('paused');
    expect(await vault.resume('acme')).toBe(true);
    expect((await vault.get('acme'))?.status).toBe('active');
    expect(await vault.pause('nobody')).toBe(false);
    expect(await vault.resume('nobody')).toBe(false);
  });

  it('keeps for which error a worker paused, until it is resumed, and whoever pauses it meanwhile', async () => {
    await vault.add(acme);
    await vault.pause('acme', 'TIKTOK_USER_BANNED');
    await vault.pause('acme');
    await vault.add(acme);
    expect((await vault.get('acme'))?.pauseCode).toBe('TIKTOK_USER_BANNED');
    await vault.resume('acme');
    await vault.pause('acme');
    expect(await vault.get('acme')).toMatchObject({ status: 'paused', pauseCode: null });
  });

  it('does not let a late refresher overwrite newer tokens, not even of an account removed and added again', async () => {
    await vault.add(acme);
    const { version } = await vault.loadTokens('acme');
    expect(await vault.saveTokens('acme', grant, { expectedVersion: version })).toBe(true);
    expect(await vault.saveTokens('acme', { accessToken: 'act.late' }, { expectedVersion: version })).toBe(false);
    const second = await vault.loadTokens('acme');
    await vault.remove('acme');
    expect(await vault.saveTokens('acme', { accessToken: 'act.late' }, { expectedVersion: second.version })).toBe(
      false,
    );
    expect(await redis.exists(keys.account('acme'))).toBe(0);
    await vault.add(acme);
    expect(await vault.saveTokens('acme', { accessToken: 'act.late' }, { expectedVersion: second.version })).toBe(
      false,
    );
    expect((await vault.loadTokens('acme')).accessToken).toBe('act.planted-1');
  });

  it('keeps the refresh token when TikTok sends no new one', async () => {
    await vault.add(acme);
    const { version } = await vault.loadTokens('acme');
    await vault.saveTokens('acme', { accessToken: 'act.2' }, { expectedVersion: version });
    expect(await vault.loadTokens('acme')).toMatchObject({
      accessToken: 'act.2',
      accessTokenExpiresAt: undefined,
      refreshTokens: ['rft.planted-1'],
    });
  });

  it('reports a needed reauthorization once on the events stream, and not for tokens that were replaced', async () => {
    await vault.add(acme);
    const { version } = await vault.loadTokens('acme');
    await vault.saveTokens('acme', grant, { expectedVersion: version });
    expect(await vault.markReauthorizationRequired('acme', { reason: 'old', expectedVersion: version })).toBe(false);
    const before = await redis.xlen(keys.events);
    expect(await vault.markReauthorizationRequired('acme', { reason: 'consent "withdrawn"' })).toBe(true);
    expect(await vault.markReauthorizationRequired('acme', { reason: 'again' })).toBe(true);
    expect(await vault.markReauthorizationRequired('nobody', { reason: 'x' })).toBe(false);
    const entries = (await redis.xrange(keys.events, '-', '+')).slice(before);
    expect(entries).toHaveLength(1);
    const [, fields] = entries[0] ?? ['', []];
    expect(fields[0]).toBe('event');
    expect(JSON.parse(fields[1] ?? '')).toMatchObject({
      specversion: '1.0',
      id: `account-${(await vault.loadTokens('acme')).version}`,
      type: 'account.reauthorization_required',
      subject: 'acme',
      data: { account: 'acme', reason: 'consent "withdrawn"' },
    });
    expect((await vault.loadTokens('acme')).reauthorizationReason).toBe('consent "withdrawn"');
  });

  it('seals with the new key what it reads, so that the old key can be dropped', async () => {
    await vault.add(acme);
    const newKey = randomBytes(32);
    const rotated = createAccountVault({ redis, keys, sealer: createSealer([newKey, key]), clock });
    const { version } = await rotated.loadTokens('acme');
    const withNewKeyOnly = createAccountVault({ redis, keys, sealer: createSealer([newKey]), clock });
    expect(await withNewKeyOnly.loadTokens('acme')).toMatchObject({
      version,
      accessToken: 'act.planted-1',
      refreshTokens: ['rft.planted-1'],
    });
    expect((await refusal(vault.loadTokens('acme'))).code).toBe('CONFIG_KEY_UNKNOWN');
  });
});
