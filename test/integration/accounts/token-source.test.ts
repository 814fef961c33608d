import { describe, expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import { eventually } from '../../support/eventually.ts';
import { addGranted, holdAnswers, OPEN_ID, startWorld } from './world.ts';

async function codeOf(action: Promise<unknown>): Promise<string> {
  const error = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof PublishError) return error.code;
  throw new Error('expected a PublishError', { cause: error });
}

describe('token source', () => {
  it('hands out the stored token in its first half, and before its last five minutes a new one', async () => {
    const { tokens, granted, passHours, refreshesAsked, outcomes } = await startWorld();
    passHours(1);
    expect(await tokens.accessToken('acme')).toBe(granted.accessToken);
    expect(refreshesAsked()).toBe(0);
    passHours(0.92);
    const renewed = await tokens.accessToken(OPEN_ID);
    expect(renewed).not.toBe(granted.accessToken);
    expect(await tokens.accessToken('acme')).toBe(renewed);
    expect(refreshesAsked()).toBe(1);
    expect(outcomes).toEqual(['refreshed']);
  });

  it('uses a token that lives for a minute for half of it, instead of asking for another at every call', async () => {
    const { tokens, passHours, refreshesAsked } = await startWorld({ accessTokenSeconds: 60 });
    const second = 1 / 3_600;
    for (let round = 1; round <= 3; round += 1) {
      passHours(46 * second);
      const renewed = await tokens.accessToken('acme');
      expect(refreshesAsked()).toBe(round);
      passHours(29 * second);
      expect(await tokens.accessToken('acme')).toBe(renewed);
      expect(refreshesAsked()).toBe(round);
      passHours(-29 * second);
    }
  });

  it('refreshes once, however many callers in however many processes want it', async () => {
    const { startProcess, passHours, refreshesAsked, vault } = await startWorld();
    const processes = await Promise.all(Array.from({ length: 5 }, () => startProcess()));
    passHours(3);
    const calls = processes.flatMap(({ tokens }) => Array.from({ length: 20 }, () => tokens.accessToken('acme')));
    const answers = new Set(await Promise.all(calls));
    expect([...answers]).toEqual([(await vault.loadTokens('acme')).accessToken]);
    expect(refreshesAsked()).toBe(1);
  });

  it('replaces a token that TikTok refused, once for all who were refused', async () => {
    const { tokens, startProcess, granted, refreshesAsked } = await startWorld();
    const other = await startProcess();
    const rejected = { rejectedToken: granted.accessToken };
    const renewed = await tokens.accessToken('acme', rejected);
    expect(renewed).not.toBe(granted.accessToken);
    expect(await other.tokens.accessToken('acme', rejected)).toBe(renewed);
    expect(refreshesAsked()).toBe(1);
    expect(await tokens.accessToken('acme', { rejectedToken: renewed })).not.toBe(renewed);
    expect(refreshesAsked()).toBe(2);
  });

  it('keeps the account and uses the old token while TikTok cannot be asked, without asking at every call', async () => {
    const { tokens, simulator, granted, passHours, refreshesAsked, outcomes, vault } = await startWorld();
    simulator.faults.add({ endpoint: 'token', act: { kind: 'status', httpStatus: 503 } });
    passHours(1.95);
    expect(await tokens.accessToken('acme')).toBe(granted.accessToken);
    expect(await tokens.accessToken('acme')).toBe(granted.accessToken);
    expect(refreshesAsked()).toBe(1);
    expect(outcomes).toEqual(['failed']);
    expect((await vault.get('acme'))?.status).toBe('active');
    passHours(0.01);
    expect(await tokens.accessToken('acme')).not.toBe(granted.accessToken);
  });

  it('asks TikTok once for all callers of a process, also when that fails', async () => {
    const { tokens, simulator, passHours, refreshesAsked } = await startWorld();
    simulator.faults.add({ endpoint: 'token', act: { kind: 'status', httpStatus: 503 }, when: { times: 'always' } });
    passHours(3);
    const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(tokens.accessToken('acme'))));
    expect(new Set(codes)).toEqual(new Set(['TIKTOK_INTERNAL']));
    expect(refreshesAsked()).toBe(1);
  });

  it('says why when there is no usable token, stays connected, and works again when TikTok does', async () => {
    const { tokens, simulator, passHours, vault } = await startWorld();
    simulator.faults.add({ endpoint: 'token', act: { kind: 'drop_before' } });
    simulator.faults.add({ endpoint: 'token', act: { kind: 'status', httpStatus: 500 } });
    simulator.faults.add({ endpoint: 'token', act: { kind: 'raw', httpStatus: 200, body: '<html>' } });
    passHours(3);
    expect(await codeOf(tokens.accessToken('acme'))).toBe('TRANSPORT_NO_ANSWER');
    expect(await codeOf(tokens.accessToken('acme'))).toBe('TIKTOK_INTERNAL');
    expect(await codeOf(tokens.accessToken('acme'))).toBe('TRANSPORT_BAD_ANSWER');
    expect((await vault.get('acme'))?.status).toBe('active');
    expect(await tokens.accessToken('acme')).toBe((await vault.loadTokens('acme')).accessToken);
  });

  it('does not hand a refused token back when the refresh fails', async () => {
    const { tokens, simulator, granted } = await startWorld();
    simulator.faults.add({ endpoint: 'token', act: { kind: 'status', httpStatus: 503 } });
    expect(await codeOf(tokens.accessToken('acme', { rejectedToken: granted.accessToken }))).toBe('TIKTOK_INTERNAL');
  });

  it('tries the same refresh token again after a lost answer', async () => {
    const { tokens, simulator, passHours, vault } = await startWorld({ rotateRefreshTokens: false });
    simulator.faults.add({ endpoint: 'token', act: { kind: 'drop_after' } });
    passHours(3);
    expect(await codeOf(tokens.accessToken('acme'))).toBe('TRANSPORT_NO_ANSWER');
    expect(await tokens.accessToken('acme')).toBe((await vault.loadTokens('acme')).accessToken);
  });

  it('tries the fallback refresh token before it gives the account up', async () => {
    const { tokens, vault, granted, passHours, refreshesAsked } = await startWorld();
    await vault.add({ ...granted, account: 'acme', refreshToken: 'rft.dead', expiresInSeconds: 60 });
    await vault.saveFallbackRefreshToken('acme', granted.refreshToken);
    passHours(3);
    expect(await tokens.accessToken('acme')).not.toBe(granted.accessToken);
    expect(refreshesAsked()).toBe(2);
    expect((await vault.get('acme'))?.status).toBe('active');
  });

  it('asks for a new authorization once TikTok refused the refresh token, and asks TikTok no more', async () => {
    const { tokens, simulator, vault, passHours, refreshesAsked, outcomes, redis, keys } = await startWorld();
    simulator.revokeGrant(OPEN_ID);
    passHours(3);
    const before = await redis.xlen(keys.events);
    expect(await codeOf(tokens.accessToken('acme'))).toBe('AUTH_REAUTHORIZATION_REQUIRED');
    expect(await codeOf(tokens.accessToken('acme'))).toBe('AUTH_REAUTHORIZATION_REQUIRED');
    expect((await vault.get('acme'))?.status).toBe('reauthorization_required');
    expect(refreshesAsked()).toBe(1);
    expect(outcomes).toEqual(['reauthorization_required']);
    expect(await redis.xlen(keys.events)).toBe(before + 1);
    await addGranted(vault, simulator.addAccount({ openId: OPEN_ID }));
    expect(await tokens.accessToken('acme')).toBe((await vault.loadTokens('acme')).accessToken);
  });

  it('uses the new tokens of an account that was connected again while TikTok refused the old ones', async () => {
    const { startProcess, simulator, client, vault, passHours, outcomes } = await startWorld();
    simulator.revokeGrant(OPEN_ID);
    const { tokens } = await startProcess({
      tiktok: {
        async refreshToken(request, options) {
          await addGranted(vault, simulator.addAccount({ openId: OPEN_ID }));
          return await client.refreshToken(request, options);
        },
      },
    });
    passHours(3);
    expect(await tokens.accessToken('acme')).toBe((await vault.loadTokens('acme')).accessToken);
    expect((await vault.get('acme'))?.status).toBe('active');
    expect(outcomes).toEqual([]);
  });

  it('lets a refresher that froze overwrite nothing, and keeps what it brought as a fallback', async () => {
    const { startProcess, client, vault, passHours, keys, redis } = await startWorld({ rotateRefreshTokens: false });
    const held = holdAnswers({
      refreshToken: async (request, options) => ({
        ...(await client.refreshToken(request, options)),
        refreshToken: 'rft.late',
      }),
    });
    const frozen = await startProcess({ tiktok: held.refresher });
    const awake = await startProcess();
    passHours(3);
    const late = frozen.tokens.accessToken('acme');
    await held.answered();
    await redis.del(keys.accountRefreshLock('acme'));
    const renewed = await awake.tokens.accessToken('acme');
    held.release();
    expect(await late).toBe(renewed);
    const stored = await vault.loadTokens('acme');
    expect(stored.accessToken).toBe(renewed);
    expect(stored.refreshTokens.slice(1)).toEqual(['rft.late']);
    expect(frozen.outcomes).toEqual(['overtaken']);
  });

  it('clears a wrong reauthorization when the frozen refresher turns out to have the new tokens', async () => {
    const { startProcess, client, vault, passHours, keys, redis } = await startWorld();
    const held = holdAnswers(client);
    const frozen = await startProcess({ tiktok: held.refresher });
    const awake = await startProcess();
    passHours(3);
    const late = frozen.tokens.accessToken('acme');
    await held.answered();
    await redis.del(keys.accountRefreshLock('acme'));
    expect(await codeOf(awake.tokens.accessToken('acme'))).toBe('AUTH_REAUTHORIZATION_REQUIRED');
    held.release();
    const renewed = await late;
    expect((await vault.get('acme'))?.status).toBe('active');
    expect(await awake.tokens.accessToken('acme')).toBe(renewed);
  });

  it('goes on when the process that held the lock died', async () => {
    const { tokens, vault, passHours, keys, redis } = await startWorld();
    passHours(3);
    await redis.set(keys.accountRefreshLock('acme'), 'a dead process', 'PX', 300);
    expect(await tokens.accessToken('acme')).toBe((await vault.loadTokens('acme')).accessToken);
    await eventually(async () => (await redis.exists(keys.accountRefreshLock('acme'))) === 0);
  });

  it('does not use a token it could not store, and does not lose it either', async () => {
    const world = await startWorld();
    const { vault, passHours, refreshesAsked } = world;
    let isRedisAway = true;
    const { tokens } = await world.startProcess({
      vault: {
        ...vault,
        saveTokens: (...args) => (isRedisAway ? Promise.reject(new Error('redis is away')) : vault.saveTokens(...args)),
      },
    });
    passHours(3);
    await expect(tokens.accessToken('acme')).rejects.toThrow('redis is away');
    isRedisAway = false;
    passHours(0.5);
    const renewed = await tokens.accessToken('acme');
    expect((await vault.loadTokens('acme')).accessToken).toBe(renewed);
    expect(refreshesAsked()).toBe(1);
    expect((await vault.get('acme'))?.accessTokenExpiresAt).toBe('2026-11-22T17:00:00.000Z');
  });

  it('never uses the tokens of another TikTok user', async () => {
    const { startProcess, client, passHours, vault } = await startWorld();
    const { tokens } = await startProcess({
      tiktok: {
        refreshToken: async (request, options) => ({
          ...(await client.refreshToken(request, options)),
          openId: 'somebody-else',
        }),
      },
    });
    passHours(3);
    await expect(tokens.accessToken('acme')).rejects.toThrow(/open-id-acme.*somebody-else/);
    expect((await vault.get('acme'))?.status).toBe('reauthorization_required');
  });

  it('uses a token without a refresh token to its end, and then asks for a new authorization', async () => {
    const { tokens, vault, passHours, refreshesAsked } = await startWorld();
    await vault.add({ account: 'acme', openId: OPEN_ID, accessToken: 'act.alone', expiresInSeconds: 7_200 });
    passHours(1.99);
    expect(await tokens.accessToken('acme')).toBe('act.alone');
    passHours(0.01);
    expect(await codeOf(tokens.accessToken('acme'))).toBe('AUTH_REAUTHORIZATION_REQUIRED');
    expect(refreshesAsked()).toBe(0);
  });

  it('asks for a new authorization when the only token there is was refused', async () => {
    const { tokens, vault } = await startWorld();
    await vault.add({ account: 'acme', openId: OPEN_ID, accessToken: 'act.alone' });
    expect(await tokens.accessToken('acme')).toBe('act.alone');
    expect(await codeOf(tokens.accessToken('acme', { rejectedToken: 'act.alone' }))).toBe(
      'AUTH_REAUTHORIZATION_REQUIRED',
    );
    expect((await vault.get('acme'))?.status).toBe('reauthorization_required');
  });

  it('names the missing settings, keeps the account, and uses the token while it lasts', async () => {
    const { startProcess, passHours, granted, vault } = await startWorld();
    const { tokens } = await startProcess({ clientKey: undefined });
    passHours(1.95);
    expect(await tokens.accessToken('acme')).toBe(granted.accessToken);
    passHours(1);
    await expect(tokens.accessToken('acme')).rejects.toThrow(/TIKTOK_CLIENT_KEY/);
    expect(await codeOf(tokens.accessToken('acme'))).toBe('CONFIG_CLIENT_CREDENTIALS_MISSING');
    expect((await vault.get('acme'))?.status).toBe('active');
  });

  it('knows no account that was never added or is gone', async () => {
    const { tokens, vault } = await startWorld();
    expect(await codeOf(tokens.accessToken('nobody'))).toBe('INPUT_ACCOUNT_UNKNOWN');
    await vault.remove('acme');
    expect(await codeOf(tokens.accessToken('acme'))).toBe('INPUT_ACCOUNT_UNKNOWN');
  });

  it('lets a caller leave without ending the refresh that others wait for', async () => {
    const { startProcess, client, passHours, vault } = await startWorld();
    const held = holdAnswers(client);
    const { tokens } = await startProcess({ tiktok: held.refresher });
    passHours(3);
    const leaving = new AbortController();
    const left = tokens.accessToken('acme', { signal: leaving.signal });
    const stays = tokens.accessToken('acme');
    await held.answered();
    leaving.abort(new Error('shutting down'));
    await expect(left).rejects.toThrow('shutting down');
    const closed = tokens.close();
    held.release();
    await closed;
    expect(await stays).toBe((await vault.loadTokens('acme')).accessToken);
    await expect(tokens.accessToken('acme', { signal: leaving.signal })).rejects.toThrow('shutting down');
  });
});
