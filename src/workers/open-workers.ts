import { createAccountNames } from '../accounts/account-names.ts';
import { createVaultTokenSource } from '../accounts/token-source.ts';
import { type AccountVault, createAccountVault } from '../accounts/vault.ts';
import { DEFAULT_POLL_SCHEDULE, type PollSchedule } from '../core/poll-schedule.ts';
import type { TokenSource } from '../core/ports.ts';
import { EIGHT_TRIES_IN_AN_HOUR } from '../core/retry-policy.ts';
import { createCreatorCache } from '../creators/creator-cache.ts';
import type { Foundation } from '../foundation/foundation.ts';
import { createLanes } from '../lanes/lanes.ts';
import { createLedger } from '../ledger/ledger.ts';
import { createLedgerMark } from '../ledger/ledger-mark.ts';
import { sightFileOf } from '../ledger/sight-file.ts';
import { createVideoClaims } from '../ledger/video-claims.ts';
import { createMediaOpener } from '../media/open-media.ts';
import type { Metrics } from '../observability/metrics.ts';
import { createQueues } from '../queues/queues.ts';
import { createCaps } from '../quota/caps.ts';
import { createSlots } from '../quota/slots.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { publishSealingKey, restoreSealingKey } from '../sealing/published-key.ts';
import { createTikTokClient, type TikTokClient } from '../tiktok/index.ts';
import { createWebhookArrivals } from '../webhooks/arrivals.ts';
import { checkTokens } from './check-tokens.ts';
import type { WorkerDeps } from './deps.ts';
import { rememberJobs } from './job-memory.ts';
import { createLedgerGuard } from './ledger-guard.ts';
import { openCallbacks } from './open-callbacks.ts';
import { type RunningWorkers, startWorkers, WORKER_KINDS, type WorkerKind } from './start-workers.ts';

export interface WorkersOptions {
  /** Which workers to run; by default all. */
  readonly only?: readonly WorkerKind[] | undefined;
  /** Where access tokens come from; by default the vault. */
  readonly tokens?: TokenSource | undefined;
  readonly pollSchedule?: PollSchedule;
}

/** What workers stand on. */
interface WorkersParts {
  readonly foundation: Foundation;
  readonly metrics: Metrics;
  /** A connection of role `ledger` to share; one is made unless given. */
  readonly redis?: RedisClient;
}

/** Puts workers together from the settings and starts them; closing the foundation drains them first. */
export async function openWorkers(parts: WorkersParts, options: WorkersOptions = {}): Promise<RunningWorkers> {
  const { foundation, metrics } = parts;
  const { config, keys, log, sealer, requestSecrets, confirmation } = foundation;
  const redis = parts.redis ?? (await foundation.connect('ledger'));
  await publishSealingKey(redis, keys, requestSecrets.publicKeys);
  const { tracing, telemetry } = foundation.traces ?? {};
  const { queuePrefix: prefix, retentionMs } = config;
  const queues = createQueues({ connection: redis, prefix, retentionMs, telemetry });
  foundation.onClose(() => queues.close());
  const vault = createAccountVault({ redis, keys, sealer, confirmation, clientKey: config.tiktok.clientKey });
  const tiktok = createTikTokClient({ apiBaseUrl: config.tiktok.apiBaseUrl, onRequest: metrics.apiRequest, tracing });
  foundation.onClose(() => tiktok.close());
  const media = createMediaOpener({ roots: config.mediaRoots, allowHosts: config.outboundAllowHosts, s3: config.s3 });
  foundation.onClose(() => media.close());
  const ledgerGuard = createLedgerGuard({
    ...{ mark: createLedgerMark({ redis, keys, confirmation }), file: sightFileOf(foundation), log },
  });
  await ledgerGuard.look();
  const only = options.only ?? WORKER_KINDS;
  const deps: WorkerDeps = {
    ...{ queues, tiktok, sealer, requestSecrets, metrics, log, tracing },
    tokens: options.tokens === undefined ? vaultTokens(parts, { vault, redis, tiktok }) : checkTokens(options.tokens),
    ledger: rememberJobs(
      ledgerGuard.protect(
        createLedger({ redis, keys, clock: Date, confirmation, laneLimit: config.uploadsPerAccount }),
      ),
      { log },
    ),
    ledgerGuard,
    slots: createSlots({ redis, keys }),
    caps: createCaps({ redis, keys, clock: Date }),
    creators: createCreatorCache({ redis, keys }),
    videoClaims: createVideoClaims({
      ...{ redis, keys, clock: Date },
      ...{ windowMs: config.duplicateWindowMs, maxWaitMs: config.maxWaitMs },
    }),
    webhooks: createWebhookArrivals({ redis, keys }),
    pauseAccount: (account) => vault.pause(account),
    restoreSealingKey: () => restoreSealingKey(redis, keys, requestSecrets.publicKeys),
    lanes: createLanes({ redis, keys, clock: Date, limit: config.uploadsPerAccount }),
    accountNames: createAccountNames({ redis, keys, clock: Date }),
    openMedia: media.open,
    probeMedia: async (source, options) => {
      const { probeMedia } = await import('../preflight/probe-media.ts');
      return await probeMedia(source, options);
    },
    ...(only.includes('events') && { callbacks: await openCallbacks(foundation, { redis, queues }) }),
    clock: Date,
    random: Math.random,
    settings: {
      chunkSizeBytes: config.upload.chunkSizeBytes,
      retentionMs,
      maxWaitMs: config.maxWaitMs,
      pullStallMs: config.pullStallMs,
      preflight: config.preflight,
      onDuplicate: config.onDuplicate,
      pollSchedule: options.pollSchedule ?? DEFAULT_POLL_SCHEDULE,
      retryPolicy: EIGHT_TRIES_IN_AN_HOUR,
    },
  };
  const workers = startWorkers({
    deps,
    connection: await foundation.connect('worker'),
    prefix,
    telemetry,
    concurrency: { upload: config.upload.concurrency, status: config.status.concurrency },
    only,
    probeRedis: foundation.probeRedis,
    connectAnew: () => foundation.connectAnew('worker'),
    findForbidden: () => foundation.findForbidden(redis),
  });
  foundation.onClose(() => workers.close({ timeoutMs: config.shutdownTimeoutMs }));
  return workers;
}

function vaultTokens(
  { foundation, metrics }: WorkersParts,
  { vault, redis, tiktok }: { vault: AccountVault; redis: RedisClient; tiktok: TikTokClient },
): TokenSource {
  const { config, keys, log } = foundation;
  const { clientKey, clientSecret } = config.tiktok;
  const tokens = createVaultTokenSource({
    ...{ vault, redis, keys, tiktok, clientKey, clientSecret, log },
    onRefresh: metrics.tokenRefreshed,
  });
  foundation.onClose(() => tokens.close());
  return tokens;
}
