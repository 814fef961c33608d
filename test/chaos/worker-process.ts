import { createInterface } from 'node:readline';
import pino from 'pino';
import { z } from 'zod';
import { openApp } from '../../src/app/open-app.ts';
import { openService } from '../../src/app/open-service.ts';
import { runWorkers } from '../../src/app/open-workers.ts';
import { workerParts } from '../../src/app/worker-parts.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { DEFAULT_POLL_SCHEDULE } from '../../src/core/poll-schedule.ts';
import type { RedisRole } from '../../src/redis/connections.ts';
import { createTikTokClient } from '../../src/tiktok/index.ts';
import { REDIS_AWAY_EXIT_CODE, SETTINGS_VARIABLE, workerSettingsSchema } from './process-settings.ts';
import { trapBullScripts, withTraps } from './trapped-deps.ts';
import { Traps, tell, trapSchema } from './traps.ts';

/*
 * A worker as in production, with rapid schedules, whose ports are wrapped so that it can be killed at any step.
 * Takes other traps as JSON lines on stdin and ends when stdin does, so that no test leaves it behind.
 */

const settings = workerSettingsSchema.parse(JSON.parse(process.env[SETTINGS_VARIABLE] ?? ''));
const { prefix, simulator, media } = settings;
const traps = new Traps();
const log = pino({ level: 'debug' }, pino.destination({ dest: settings.logFile, sync: true }));
const { clientKey, clientSecret } = simulator;
const config = loadConfig({
  QUEUE_PREFIX: prefix,
  ENCRYPTION_KEYS: settings.encryptionKey,
  DATA_DIR: `${settings.logFile}.data`,
  TIKTOK_API_BASE_URL: simulator.url,
  TIKTOK_CLIENT_KEY: clientKey,
  TIKTOK_CLIENT_SECRET: clientSecret,
});
const dayMs = 86_400_000;
const app = await openApp(
  {
    ...config,
    ...{ redis: settings.redis, redisWaitReplicas: settings.waitReplicas },
    ...{ outboundAllowHosts: media.allowHosts, s3: { ...config.s3, ...media.s3 } },
    ...{ retentionMs: dayMs, maxWaitMs: dayMs, pullStallMs: dayMs, duplicateWindowMs: dayMs },
    ...{ preflight: 'off', onDuplicate: 'warn', shutdownTimeoutMs: settings.shutdownTimeoutMs },
    ...{
      upload: { ...config.upload, concurrency: 4, chunkSizeBytes: settings.chunkSizeBytes },
      status: { concurrency: 20 },
    },
  },
  { log },
);
const tiktok = createTikTokClient({
  apiBaseUrl: simulator.url,
  timeouts: { connectMs: 1_000, answerMs: 1_500, stallMs: 4_000 },
});
const workers = await startOrLeave();

/** A worker that is started while Redis is away ends, and its supervisor starts another one. */
async function startOrLeave() {
  try {
    const service = await openService({ ...app, connect: connectTrapped }, { tiktok });
    const deps = withTraps(
      workerParts(service, {
        settings: {
          pollSchedule: { ...DEFAULT_POLL_SCHEDULE, firstMs: 100, maxMs: 1_000, minPerOpenJobMs: 0 },
          retryPolicy: { maxAttempts: 8, baseMs: 100, factor: 1.5, maxMs: 1_000 },
          recovery: settings.recovery,
        },
      }),
      traps,
    );
    const running = await runWorkers(service, deps, { only: ['upload', 'status'] });
    traps.arm(settings.traps);
    return running;
  } catch (error) {
    log.error({ err: error }, 'not started');
    process.exit(REDIS_AWAY_EXIT_CODE);
  }
}

async function connectTrapped(role: RedisRole) {
  const client = await app.connect(role);
  if (role === 'worker') trapBullScripts(client, traps);
  return client;
}

process.once('SIGTERM', () => {
  void workers.close({ timeoutMs: settings.shutdownTimeoutMs }).then(() => process.exit(0));
});
const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => traps.arm(z.array(trapSchema).parse(JSON.parse(line))));
commands.on('close', () => process.exit(70));
tell({ kind: 'ready' });
