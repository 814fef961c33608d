import { expect, it, onTestFinished } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import { startSimulator } from '../../../src/simulator/index.ts';
import { rejection } from '../../support/rejection.ts';
import { startWorld } from './world.ts';

it('says of tokens granted to another app that they may be that, and leaves the other accounts working', async () => {
  const { vault, tokens, clock, passHours, granted, simulator } = await startWorld();
  const otherApp = await startSimulator({ clock, clientKey: 'other-app', seed: 2 });
  onTestFinished(() => otherApp.close());
  const foreign = otherApp.addAccount({ openId: 'open-id-at-the-other-app' });
  await vault.add({
    account: 'foreign',
    openId: foreign.openId,
    accessToken: foreign.accessToken,
    expiresInSeconds: foreign.expiresIn,
    refreshToken: foreign.refreshToken,
  });
  passHours(2);
  const error = await rejection(tokens.accessToken('foreign'));
  expect(error.code).toBe('AUTH_REAUTHORIZATION_REQUIRED');
  expect(error.message).toContain('or it belongs to another app');
  expect(await vault.get('foreign')).toMatchObject({ status: 'reauthorization_required' });
  const renewed = await tokens.accessToken('acme');
  expect(renewed).not.toBe(granted.accessToken);
  expect(await vault.get('acme')).toMatchObject({ status: 'active' });
  expect(simulator.journal.entries.map(({ code }) => code)).toEqual(['invalid_grant', 'ok']);
});

it('names the app that an account was connected by, keeps its token in use, and goes on once the settings are put back', async () => {
  const world = await startWorld();
  const { startProcess, passHours, granted, keys, redis, refreshesAsked } = world;
  await redis.hset(keys.account('acme'), 'clientKey', world.simulator.clientKey);
  const otherApp = { clientKey: 'sb34-another-app', clientSecret: 'its-secret' };
  const client = {
    refreshToken: async () => {
      throw new PublishError('AUTH_REAUTHORIZATION_REQUIRED', { tiktokCode: 'invalid_grant' });
    },
  };
  const mistaken = await startProcess({ ...otherApp, tiktok: client });
  passHours(1.95);
  expect(await mistaken.tokens.accessToken('acme')).toBe(granted.accessToken);
  passHours(0.1);
  const error = await rejection(mistaken.tokens.accessToken('acme'));
  expect(error.code).toBe('AUTH_REAUTHORIZATION_REQUIRED');
  expect(error.message).toBe(
    `account "acme" was connected by another app (client key ${world.simulator.clientKey.slice(0, 4)}…): ` +
      'connect it again or restore the previous TIKTOK_CLIENT_KEY',
  );
  expect(error.message).not.toContain(world.simulator.clientKey);
  expect(mistaken.outcomes).toEqual(['failed', 'failed']);
  expect(JSON.stringify(await redis.xrange(keys.events, '-', '+'))).not.toContain('reauthorization_required');
  expect(refreshesAsked()).toBe(0);
  expect(await world.tokens.accessToken('acme')).not.toBe(granted.accessToken);
  expect(refreshesAsked()).toBe(1);
});

it('notes the app that renewed the tokens, so that wrongly noted ones come right', async () => {
  const { tokens, keys, redis, passHours, simulator, vault } = await startWorld();
  await redis.hset(keys.account('acme'), 'clientKey', 'mistyped');
  passHours(3);
  expect(await tokens.accessToken('acme')).toBe((await vault.loadTokens('acme')).accessToken);
  expect((await vault.loadTokens('acme')).clientKey).toBe(simulator.clientKey);
});
