import { createHeldAccounts } from '../accounts/held-accounts.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { NEEDED_BY_SERVICES } from '../redis/needed-commands.ts';
import { describeMissing, findMissingPermissions } from '../redis/permissions.ts';
import { probeWrite } from '../redis/write-probe.ts';
import { publishSealingKey } from '../sealing/published-key.ts';
import type { WorkerDeps } from '../workers/deps.ts';
import { type RunningWorkers, startWorkers } from '../workers/runtime/start-workers.ts';
import { WORKER_KINDS, type WorkerKind } from '../workers/runtime/worker-kinds.ts';
import { type CallbackOverrides, openCallbacks } from './callback-parts.ts';
import type { App } from './open-app.ts';
import type { Service } from './open-service.ts';
import { type WorkerOverrides, workerParts } from './worker-parts.ts';

export interface WorkersOptions extends WorkerOverrides {
  /** Which workers to run; by default all. */
  readonly only?: readonly WorkerKind[] | undefined;
}

/** Puts workers together from the settings and starts them; closing the app drains them first. */
export async function openWorkers(
  service: Service,
  { only = WORKER_KINDS, ...overrides }: WorkersOptions = {},
): Promise<RunningWorkers> {
  return await runWorkers(service, workerParts(service, overrides), { only });
}

/** @internal */
export interface RunWorkersOptions {
  readonly only: readonly WorkerKind[];
  readonly callbacks?: CallbackOverrides;
}

/** Starts workers on parts that are built. @internal */
export async function runWorkers(
  service: Service,
  deps: WorkerDeps,
  { only, callbacks }: RunWorkersOptions,
): Promise<RunningWorkers> {
  const { app, redis, lanes, ledger, facts } = service;
  const { config, keys, requestSecrets } = app;
  await publishSealingKey(redis, keys, requestSecrets.publicKeys);
  await lanes.publishLimit(config.uploadsPerAccount);
  await ledger.publishIndexes(config.metadataIndex);
  await facts.keepFor(config.tiktok.clientKey);
  await createHeldAccounts({ redis, keys }).noteAll();
  await deps.ledgerGuard.look();
  const workers = startWorkers({
    ...{ deps, only, prefix: config.queuePrefix, telemetry: app.traces?.telemetry },
    callbacks: only.includes('events') ? await openCallbacks(app, service, callbacks) : undefined,
    connection: await app.connect('worker'),
    concurrency: { upload: config.upload.concurrency, status: config.status.concurrency },
    probeRedis: () => probeWrite(app.target, keys),
    openConnection: () => app.openConnection('worker'),
    findForbidden: () => findForbidden(app, redis),
  });
  app.onClose(() => workers.close({ timeoutMs: config.shutdownTimeoutMs }));
  return workers;
}

/** What our Redis user may not do although workers need it, human-readable; undefined where nothing is missing. */
async function findForbidden({ target, config }: App, redis: RedisClient): Promise<string | undefined> {
  // What can be tried in one script: this is asked often.
  const needed = { probes: NEEDED_BY_SERVICES.probes, direct: [] };
  const missing = await findMissingPermissions(redis, config.queuePrefix, needed);
  const text = describeMissing(missing, target, config.queuePrefix)?.what;
  return text && `Redis rejects commands that jobs need: ${text}`;
}
