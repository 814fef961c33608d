import { expect, it, onTestFinished } from 'vitest';
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
  expect(error.message).toContain('or it was granted to another app');
  expect(await vault.get('foreign')).toMatchObject({ status: 'reauthorization_required' });
  const renewed = await tokens.accessToken('acme');
  expect(renewed).not.toBe(granted.accessToken);
  expect(await vault.get('acme')).toMatchObject({ status: 'active' });
  expect(simulator.journal.entries.map(({ code }) => code)).toEqual(['invalid_grant', 'ok']);
});
