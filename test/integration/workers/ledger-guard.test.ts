import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLedgerVersionStore } from '../../../src/ledger/version-store.ts';
import { NO_CONFIRMATION } from '../../../src/redis/confirmation.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { createLedgerGuard } from '../../../src/workers/runtime/ledger-guard.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

/** A guard that saw 50 heartbeats, all of which Redis then has forgotten. */
async function startSetBack(confirm: typeof NO_CONFIRMATION.confirm) {
  const redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
  onTestFinished(() => closeRedis(redis));
  const keys = createKeys(freshPrefix());
  const versions = createLedgerVersionStore({ redis, keys, confirmation: { ...NO_CONFIRMATION, confirm } });
  const guard = createLedgerGuard({ versions, file: undefined, log: pino({ level: 'silent' }) });
  await guard.look();
  await redis.hincrby(keys.ledgerVersion, 'count', 50);
  await guard.look();
  await redis.hincrby(keys.ledgerVersion, 'count', -50);
  await guard.look();
  return guard;
}

describe('a worker process whose Redis lacks heartbeats', () => {
  it('stops where they would have survived a failover, or nobody can say', async () => {
    expect((await startSetBack(NO_CONFIRMATION.confirm)).trouble()).toMatch(/restored to an older state/);
  });

  it('goes on where they were counted by a master that was cut off from its replicas', async () => {
    const refusals = [
      async () => 'missing' as const,
      async () => {
        throw new Error('no replica');
      },
    ];
    for (const refuse of refusals) expect((await startSetBack(refuse)).trouble()).toBeUndefined();
  });
});
