import type { Logger } from 'pino';
import { createVaultTokenSource } from '../accounts/token-source.ts';
import { createAccountVault } from '../accounts/vault.ts';
import type { CreatorInfo } from '../core/creator-rules.ts';
import type { Clock, RotatingSealer } from '../core/ports.ts';
import { createSlots } from '../quota/slots.ts';
import type { Confirmation } from '../redis/confirmation.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { createTikTokClient, type TikTokClientOptions } from '../tiktok/index.ts';
import { askCreator } from './ask-creator.ts';
import { createCreatorCache } from './creator-cache.ts';

/** What {@link openCreators} needs. */
export interface OpenCreatorsDeps {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly confirmation?: Confirmation | undefined;
  readonly sealer: RotatingSealer;
  readonly tiktok: {
    readonly apiBaseUrl: string;
    readonly clientKey: string | undefined;
    readonly clientSecret: string | undefined;
  };
  readonly clock?: Clock | undefined;
  readonly log?: Logger | undefined;
  readonly onRequest?: TikTokClientOptions['onRequest'] | undefined;
}

/** Creators who can be asked about. */
export interface Creators {
  /**
   * What TikTok allows an account to post just now, fresh.
   * @throws PublishError as {@link askCreator}
   */
  ask(nameOrOpenId: string): Promise<CreatorInfo>;
  /** Waits for token refreshes under way. */
  close(): Promise<void>;
}

/** Puts together what asking TikTok about the accounts of the vault takes, outside of workers. */
export function openCreators(deps: OpenCreatorsDeps): Creators {
  const { redis, keys, confirmation, sealer, clock = Date, log, onRequest } = deps;
  const { apiBaseUrl, clientKey, clientSecret } = deps.tiktok;
  const vault = createAccountVault({ redis, keys, sealer, confirmation, clock, clientKey });
  const tiktok = createTikTokClient({ apiBaseUrl, ...(onRequest !== undefined && { onRequest }) });
  const tokens = createVaultTokenSource({ vault, redis, keys, tiktok, clientKey, clientSecret, clock, log });
  const slots = createSlots({ redis, keys, clock });
  const cache = createCreatorCache({ redis, keys, clock });
  return {
    async ask(nameOrOpenId) {
      const account = await vault.resolve(nameOrOpenId);
      return await askCreator(account, { tokens, tiktok, slots, cache, clock });
    },
    async close() {
      await tokens.close();
      await tiktok.close();
    },
  };
}
