import { splitScopes } from '../accounts/scopes.ts';
import { createAccountVault } from '../accounts/vault.ts';
import { encryptionKeysOf } from '../config/development-key.ts';
import type { Clock } from '../core/ports.ts';
import type { PreflightReport } from '../core/preflight-report.ts';
import type { Creators } from '../creators/open-creators.ts';
import { createMediaOpener } from '../media/open-media.ts';
import type { PreflightAccounts } from '../preflight/check-account.ts';
import type { PreflightQuota } from '../preflight/check-quota.ts';
import { checkRequest } from '../preflight/check-request.ts';
import { probeMedia } from '../preflight/probe-media.ts';
import { createCaps } from '../quota/caps.ts';
import { createSlots } from '../quota/slots.ts';
import { TIKTOK_QUOTAS } from '../quota/tiktok-quotas.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { isOldFormInUse } from '../sealing/published-key.ts';
import { createSealer } from '../sealing/sealer.ts';
import type { PublisherConfig } from './create-publisher.ts';

/** What `publisher.preflight` stands on. */
export interface PreflightParts {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
  /** Asks TikTok about creators, and opens the way there at the first call. */
  readonly askCreator: Creators['ask'];
}

/**
 * Checks a request for `publisher.preflight`. Loaded when that is called first: producers that only enqueue load no
 * code for media, accounts and TikTok.
 */
export async function runPreflight(
  request: unknown,
  config: PublisherConfig,
  parts: PreflightParts,
): Promise<PreflightReport> {
  const { mediaRoots, outboundAllowHosts = [], s3 = {} } = config;
  const media = createMediaOpener({ roots: mediaRoots, allowHosts: outboundAllowHosts, s3 });
  try {
    return await checkRequest(request, {
      openMedia: media.open,
      probeMedia,
      accounts: await accountsOf(config, parts),
      quota: quotaOf(parts),
    });
  } finally {
    await media.close();
  }
}

/** The accounts of the vault, or why they can't be looked at here. */
async function accountsOf(config: PublisherConfig, parts: PreflightParts): Promise<PreflightAccounts | string> {
  const { dataDir, encryptionKeys, redis: target, tiktok } = config;
  if (tiktok === undefined || (encryptionKeys === undefined && target.kind !== 'embedded')) {
    return 'ENCRYPTION_KEYS is not set here, and accounts are encrypted with the keys of the workers';
  }
  const { redis, keys, clock, askCreator } = parts;
  const sealer = createSealer(await encryptionKeysOf({ encryptionKeys, dataDir }), () => isOldFormInUse(redis, keys));
  const vault = createAccountVault({ redis, keys, sealer, clock, clientKey: tiktok.clientKey });
  return {
    async find(nameOrOpenId) {
      const summary = await vault.get(nameOrOpenId);
      return summary && { name: summary.account, status: summary.status, scopes: splitScopes(summary.scope) };
    },
    askCreator,
  };
}

function quotaOf({ redis, keys, clock }: PreflightParts): PreflightQuota {
  const slots = createSlots({ redis, keys, clock });
  const caps = createCaps({ redis, keys, clock });
  return {
    initWaitMs: (account, endpoint) => slots.peek({ account, endpoint, ...TIKTOK_QUOTAS[endpoint] }),
    postsLastDay: caps.postsLastDay,
    heldBackUntil: caps.heldBackUntil,
  };
}
