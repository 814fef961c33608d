import pino from 'pino';
import { type App, openApp } from '../../src/app/open-app.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { DAY_MS } from '../../src/core/units.ts';
import type { WorkerSettings } from './process-settings.ts';

/** The program as in production, for processes that a stage starts. */
export async function openChaosApp(settings: WorkerSettings): Promise<App> {
  const { prefix, simulator, media, publicBaseUrl } = settings;
  const log = pino({ level: 'debug' }, pino.destination({ dest: settings.logFile, sync: true }));
  const config = loadConfig({
    QUEUE_PREFIX: prefix,
    ENCRYPTION_KEYS: settings.encryptionKey,
    DATA_DIR: `${settings.logFile}.data`,
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: simulator.clientSecret,
    ...(publicBaseUrl !== undefined && { PUBLIC_BASE_URL: publicBaseUrl, PORT: new URL(publicBaseUrl).port }),
  });
  return await openApp(
    {
      ...config,
      ...{ redis: settings.redis, redisWaitReplicas: settings.waitReplicas },
      ...{ outboundAllowHosts: media.allowHosts, s3: { ...config.s3, ...media.s3 } },
      ...{ retentionMs: DAY_MS, maxWaitMs: DAY_MS, pullStallMs: DAY_MS, duplicateWindowMs: DAY_MS },
      ...{ preflight: settings.preflight ?? 'off', onDuplicate: 'warn', shutdownTimeoutMs: settings.shutdownTimeoutMs },
      ...{
        upload: { ...config.upload, concurrency: 4, chunkSizeBytes: settings.chunkSizeBytes },
        status: { concurrency: 20 },
      },
    },
    { log },
  );
}
