import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { RefreshOutcome, TokenRefresher } from '../../../src/accounts/token-refresh.ts';
import { createVaultTokenSource, type VaultTokenSourceDeps } from '../../../src/accounts/token-source.ts';
import { type AccountVault, createAccountVault } from '../../../src/accounts/vault.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { createSealer } from '../../../src/sealing/sealer.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../../src/simulator/index.ts';
import { createTikTokClient } from '../../../src/tiktok/index.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

const HOUR_MS = 3_600_000;
export const OPEN_ID = 'open-id-acme';

/** TikTok, Redis and an account `acme` whose tokens were granted at the beginning of time. */
export async function startWorld(options: SimulatorOptions = {}) {
  let now = Date.parse('2026-11-22T12:00:00Z');
  const clock = { now: () => now };
  const keys = createKeys(freshPrefix());
  const sealer = createSealer([randomBytes(32)]);
  const simulator = await startSimulator({ clock, accessTokenSeconds: 7_200, ...options });
  const client = createTikTokClient({ apiBaseUrl: simulator.url, timeouts: { answerMs: 2_000 } });
  onTestFinished(async () => {
    await client.close();
    await simulator.close();
  });
  const granted = simulator.addAccount({ openId: OPEN_ID });

  async function startProcess(overrides: Partial<VaultTokenSourceDeps> = {}) {
    const redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
    const vault = overrides.vault ?? createAccountVault({ redis, keys, sealer, clock });
    const outcomes: RefreshOutcome[] = [];
    const tokens = createVaultTokenSource({
      vault,
      tiktok: client,
      clientKey: simulator.clientKey,
      clientSecret: simulator.clientSecret,
      redis,
      keys,
      clock,
      onRefresh: (outcome) => outcomes.push(outcome),
      ...overrides,
    });
    onTestFinished(async () => {
      await tokens.close();
      await closeRedis(redis);
    });
    return { redis, vault, tokens, outcomes };
  }

  const first = await startProcess();
  await addGranted(first.vault, granted);
  return {
    ...first,
    keys,
    clock,
    simulator,
    client,
    granted,
    startProcess,
    passHours: (hours: number) => {
      now += hours * HOUR_MS;
    },
    refreshesAsked: () => countRefreshes(simulator),
  };
}

/** Stores what the simulator has granted, as `accounts add` would. */
export function addGranted(vault: AccountVault, granted: ReturnType<Simulator['addAccount']>) {
  return vault.add({
    account: 'acme',
    openId: granted.openId,
    accessToken: granted.accessToken,
    expiresInSeconds: granted.expiresIn,
    refreshToken: granted.refreshToken,
    refreshExpiresInSeconds: granted.refreshExpiresIn,
    scope: granted.scope,
  });
}

/** A refresher whose answers the test holds back until it releases them. */
export function holdAnswers(tiktok: TokenRefresher) {
  const held: (() => void)[] = [];
  const waiting: (() => void)[] = [];
  const refresher: TokenRefresher = {
    async refreshToken(request, options) {
      const grant = await tiktok.refreshToken(request, options);
      await new Promise<void>((resolve) => {
        held.push(resolve);
        waiting.shift()?.();
      });
      return grant;
    },
  };
  return {
    refresher,
    /** Resolves once an answer of TikTok is held back. */
    answered: () => (held.length > 0 ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve))),
    release: () => held.shift()?.(),
  };
}

function countRefreshes(simulator: Simulator): number {
  return simulator.journal.entries.filter(({ endpoint }) => endpoint === 'token').length;
}
