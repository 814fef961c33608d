import { createInterface } from 'node:readline';
import pino from 'pino';
import { z } from 'zod';
import { createAccountNames } from '../../src/accounts/account-names.ts';
import { createVaultTokenSource } from '../../src/accounts/token-source.ts';
import { createAccountVault } from '../../src/accounts/vault.ts';
import type { RedisTarget } from '../../src/config/redis-config.ts';
import { DEFAULT_POLL_SCHEDULE } from '../../src/core/poll-schedule.ts';
import { createLanes } from '../../src/lanes/lanes.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { createVideoClaims } from '../../src/ledger/video-claims.ts';
import { createMediaOpener } from '../../src/media/open-media.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { createQueues } from '../../src/queues/queues.ts';
import { createCaps } from '../../src/quota/caps.ts';
import { createSlots } from '../../src/quota/slots.ts';
import { connectRedis, type RedisRole } from '../../src/redis/connections.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { openConfirmation } from '../../src/redis/open-confirmation.ts';
import { probeWrite } from '../../src/redis/write-probe.ts';
import { createRequestSecrets } from '../../src/sealing/request-box.ts';
import { createSealer } from '../../src/sealing/sealer.ts';
import { createTikTokClient } from '../../src/tiktok/index.ts';
import { startWorkers, type WorkerDeps } from '../../src/workers/index.ts';
import { rememberJobs } from '../../src/workers/job-memory.ts';
import { REDIS_AWAY_EXIT_CODE, SETTINGS_VARIABLE, workerSettingsSchema } from './process-settings.ts';
import { trapBullScripts, withTraps } from './trapped-deps.ts';
import { Traps, tell, trapSchema } from './traps.ts';

/*
 * A worker as in production, with rapid schedules, whose ports are wrapped so that it can be killed at any step.
 * Takes other traps as JSON lines on stdin and ends when stdin does, so that no test leaves it behind.
 */

const settings = workerSettingsSchema.parse(JSON.parse(process.env[SETTINGS_VARIABLE] ?? ''));
const { prefix, simulator } = settings;
const traps = new Traps();
const log = pino({ level: 'debug' }, pino.destination({ dest: settings.logFile, sync: true }));
const target: RedisTarget = settings.redis;
const keys = createKeys(prefix);
const redis = await connectOrLeave('ledger');
const connection = await connectOrLeave('worker');
trapBullScripts(connection, traps);
const retentionMs = 86_400_000;
const encryptionKeys = [Buffer.from(settings.encryptionKey, 'base64')];
const sealer = createSealer(encryptionKeys);
const tiktok = createTikTokClient({
  apiBaseUrl: simulator.url,
  timeouts: { connectMs: 1_000, answerMs: 1_500, stallMs: 4_000 },
});
const { clientKey, clientSecret } = simulator;
const confirmation = openConfirmation(target, { keys, replicas: settings.waitReplicas });
const vault = createAccountVault({ redis, keys, sealer, confirmation });

const deps: WorkerDeps = withTraps(
  {
    ledger: rememberJobs(createLedger({ redis, keys, clock: Date, confirmation }), { log }),
    queues: createQueues({ connection: redis, prefix, retentionMs }),
    tiktok,
    tokens: createVaultTokenSource({ vault, tiktok, redis, keys, clientKey, clientSecret, log }),
    slots: createSlots({ redis, keys }),
    caps: createCaps({ redis, keys, clock: Date }),
    videoClaims: createVideoClaims({ redis, keys, clock: Date, windowMs: retentionMs, maxWaitMs: retentionMs }),
    pauseAccount: (account) => vault.pause(account),
    lanes: createLanes({ redis, keys, clock: Date }),
    accountNames: createAccountNames({ redis, keys, clock: Date }),
    sealer,
    requestSecrets: createRequestSecrets(encryptionKeys),
    openMedia: createMediaOpener({ allowHosts: settings.media.allowHosts, s3: settings.media.s3 ?? {} }).open,
    clock: Date,
    random: Math.random,
    metrics: createMetrics(),
    log,
    settings: {
      chunkSizeBytes: settings.chunkSizeBytes,
      retentionMs,
      maxWaitMs: retentionMs,
      pullStallMs: retentionMs,
      pollSchedule: { ...DEFAULT_POLL_SCHEDULE, firstMs: 100, maxMs: 1_000, minPerOpenJobMs: 0 },
      retryPolicy: { maxAttempts: 8, baseMs: 100, factor: 1.5, maxMs: 1_000 },
      recovery: settings.recovery,
    },
  },
  traps,
);
traps.arm(settings.traps);
const workers = startWorkers({
  ...{ deps, connection, prefix, concurrency: { upload: 4, status: 20 } },
  probeRedis: () => probeWrite(target, keys),
  connectAnew: async () => await connectRedis(target, 'worker', { log }),
});

process.once('SIGTERM', () => {
  void workers.close({ timeoutMs: settings.shutdownTimeoutMs }).then(() => process.exit(0));
});
const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => traps.arm(z.array(trapSchema).parse(JSON.parse(line))));
commands.on('close', () => process.exit(70));
tell({ kind: 'ready' });

/** A worker that is started while Redis is away ends, and its supervisor starts another one. */
async function connectOrLeave(role: RedisRole) {
  return await connectRedis(target, role, { log }).catch(() => process.exit(REDIS_AWAY_EXIT_CODE));
}
