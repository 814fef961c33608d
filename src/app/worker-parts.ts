import { DEFAULT_POLL_SCHEDULE } from '../core/poll-schedule.ts';
import type { TokenSource } from '../core/ports.ts';
import { EIGHT_TRIES_IN_AN_HOUR } from '../core/retry-policy.ts';
import { versionFileOf } from '../ledger/version-file.ts';
import { createVideoClaims } from '../ledger/video-claims.ts';
import { createMediaOpener } from '../media/open-media.ts';
import { probeMedia } from '../media/probe/probe-media.ts';
import { linkMaker } from '../media/pull-links.ts';
import { operateOnJob } from '../producers/operate-on-job.ts';
import { restoreSealingKey } from '../sealing/published-key.ts';
import type { WorkerDeps, WorkerSettings } from '../workers/deps.ts';
import { checkTokens } from '../workers/runtime/check-tokens.ts';
import { rememberJobs } from '../workers/runtime/job-memory.ts';
import { createLedgerGuard } from '../workers/runtime/ledger-guard.ts';
import { DEFAULT_RECOVERY } from '../workers/runtime/recovery.ts';
import { createPollTimes } from '../workers/status/poll-times.ts';
import type { App } from './open-app.ts';
import type { Service } from './open-service.ts';

/** What may take the place of what the settings say. */
export interface WorkerOverrides extends Partial<Omit<WorkerDeps, 'tokens' | 'settings'>> {
  /** Another app's source of access tokens, which is checked; by default the vault. */
  readonly tokens?: TokenSource | undefined;
  readonly settings?: Partial<WorkerSettings> | undefined;
}

/** Everything that the jobs of a process work with. */
export function workerParts(service: Service, { tokens, settings, ...overrides }: WorkerOverrides): WorkerDeps {
  const { app, versions, vault, creatorCache: creators, lanes, ...shared } = service;
  const { config, keys, log, clock, random, sealer, requestSecrets } = app;
  const {
    redis,
    queues,
    publishingPause,
    reservations,
    caps,
    facts,
    accountNames,
    tiktok,
    metrics,
    measureStep,
    webhooks,
    operations,
    reader,
    statistics,
  } = shared;
  const ledgerGuard = createLedgerGuard({ versions, file: versionFileOf(app), log });
  const ledger = rememberJobs(ledgerGuard.protect(service.ledger), { log });
  return {
    ...{
      statistics,
      queues,
      tiktok,
      reservations,
      caps,
      facts,
      creators,
      lanes,
      publishingPause,
      accountNames,
      webhooks,
      metrics,
      measureStep,
    },
    ...{ log, clock, random, sealer, requestSecrets, tracing: app.traces?.tracing, ledgerGuard },
    tokens: tokens === undefined ? service.tokens : checkTokens(tokens),
    ledger,
    videoClaims: createVideoClaims({
      ...{ redis, keys, clock, windowMs: config.duplicateWindowMs, maxWaitMs: config.maxWaitMs },
    }),
    pollTimes: createPollTimes(),
    operations,
    findJobs: reader.find,
    async operateOnJob(id, stored) {
      const outcome = await operateOnJob(id, stored, { clock, ledger, queues, lanes, operations });
      if (outcome !== undefined) metrics.operationDealtWith(stored.operation.kind, outcome);
    },
    pauseAccount: (account, code) => vault.pause(account, code),
    async restorePublished() {
      await restoreSealingKey(redis, keys, requestSecrets.publicKeys);
      await lanes.restoreLimit(config.uploadsPerAccount);
    },
    ...mediaOf(app),
    linkToMedia: linkToMediaOf(app),
    probeMedia,
    settings: { ...workerSettings(app), ...settings },
    ...overrides,
  };
}

/** Opens media as the settings have it. */
export function mediaOf({ config, onClose }: App): Pick<WorkerDeps, 'openMedia' | 'lookAtPhoto'> {
  const { mediaRoots: roots, outboundAllowHosts: allowHosts, proxy, s3 } = config;
  const media = createMediaOpener({ roots, allowHosts, proxy, s3 });
  onClose(() => media.close());
  return { openMedia: media.open, lookAtPhoto: media.lookAtPhoto };
}

function linkToMediaOf({ config, sealer, clock }: App): WorkerDeps['linkToMedia'] {
  const { baseUrl } = config.pull;
  return baseUrl === undefined ? undefined : linkMaker(baseUrl, sealer, clock);
}

function workerSettings({ config }: App): WorkerSettings {
  const { upload, retentionMs, maxWaitMs, pullStallMs, preflight, onDuplicate } = config;
  return {
    ...{ chunkSizeBytes: upload.chunkSizeBytes, retentionMs, maxWaitMs, pullStallMs, preflight, onDuplicate },
    pollSchedule: DEFAULT_POLL_SCHEDULE,
    retryPolicy: EIGHT_TRIES_IN_AN_HOUR,
    recovery: DEFAULT_RECOVERY,
  };
}
